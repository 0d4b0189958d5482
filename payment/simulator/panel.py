"""What Stripe's dashboard, the buyer and the buyer's bank may do after a payment, for a person: at / and /payments/…"""

import re
from collections.abc import Callable
from html import escape

from .ledger import Ledger
from .objects import Json
from .params import ApiError
from .parts import Parts
from .pay_page import PATIENCE, Page, amount_in_words, message, render

PAYMENT = re.compile(r"/payments/([A-Za-z0-9_]+)")
SHOWN = 50
POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'",
    "Cache-Control": "no-store",
}


def answer(simulator: Parts, method: str, path: str, form: dict[str, str]) -> Page | None:
    """Return the page, or None when the address is not one of the panel's."""
    if path == "/" and method == "GET":
        return Page(200, _listed(simulator.ledger), headers=POLICY)
    match = PAYMENT.fullmatch(path)
    if match is None:
        return None
    try:
        simulator.ledger.charge_of(match[1])
        return _act(simulator, match[1], form) if method == "POST" else _show(simulator.ledger, match[1])
    except ApiError as error:
        return Page(error.status, message(error.body["error"]["message"]), headers=POLICY)


def _act(simulator: Parts, intent_id: str, form: dict[str, str]) -> Page:
    act = ACTS.get(form.get("act", ""))
    if act is None:
        return Page(400, message("That cannot be done here."), headers=POLICY)
    act(simulator.ledger, intent_id, form.get("id", ""))
    simulator.courier.drain(PATIENCE)
    return Page(303, "", headers={"Location": f"/payments/{intent_id}"})


ACTS: dict[str, Callable[[Ledger, str, str], object]] = {
    "refund": lambda ledger, intent_id, _: ledger.refund(intent_id),
    "settle_refund": lambda ledger, _, refund_id: ledger.settle_refund(refund_id),
    "return_refund": lambda ledger, _, refund_id: ledger.fail_refund(refund_id),
    "dispute": lambda ledger, intent_id, _: ledger.dispute(intent_id),
    "inquire": lambda ledger, intent_id, _: ledger.dispute(intent_id, status="warning_needs_response"),
    "review": lambda ledger, _, dispute_id: ledger.review_dispute(dispute_id),
    "win": lambda ledger, _, dispute_id: ledger.close_dispute(dispute_id, won=True),
    "lose": lambda ledger, _, dispute_id: ledger.close_dispute(dispute_id, won=False),
}


def _listed(ledger: Ledger) -> str:
    with ledger.lock:
        charges = [*ledger.charges.values()][-SHOWN:][::-1]
    rows = "".join(
        f'<tr><td><a href="/payments/{charge["payment_intent"]}">{charge["payment_intent"]}</a></td>'
        f"<td>{escape(charge['metadata'].get('order', ''))}</td><td>{_words(charge, charge['amount'])}</td></tr>"
        for charge in charges
    )
    return render("page", title="Payments", body=render("payments", rows=rows or "<tr><td>None yet.</td></tr>"))


def _show(ledger: Ledger, intent_id: str) -> Page:
    with ledger.lock:
        charge = ledger.charge_of(intent_id)
        refunds = [refund for refund in ledger.refunds.values() if refund["charge"] == charge["id"]]
        disputes = ledger.disputes_of(charge)
    body = render(
        "payment",
        intent=intent_id,
        total=_words(charge, charge["amount"]),
        left=_words(charge, charge["amount"] - charge["amount_refunded"]),
        refunds="".join(_row(charge, one, _endings_of_refund(one)) for one in refunds) or "<tr><td>None.</td></tr>",
        disputes="".join(_row(charge, one, _endings_of_dispute(one)) for one in disputes) or "<tr><td>None.</td></tr>",
    )
    return Page(200, render("page", title="Payment", body=body), headers=POLICY)


def _endings_of_refund(refund: Json) -> dict[str, str]:
    endings = {"return_refund": "The bank sends it back"} if refund["status"] in ("pending", "succeeded") else {}
    return {"settle_refund": "It arrives", **endings} if refund["status"] == "pending" else endings


def _endings_of_dispute(dispute: Json) -> dict[str, str]:
    if dispute["status"] in ("won", "lost", "warning_closed"):
        return {}
    review = {} if "review" in dispute["status"] else {"review": "The seller answers"}
    return {**review, "win": "The seller wins", "lose": "The buyer wins"}


def _row(charge: Json, subject: Json, endings: dict[str, str]) -> str:
    buttons = "".join(
        f'<button class="quiet" name="act" value="{act}">{escape(label)}</button>' for act, label in endings.items()
    )
    return (
        f"<tr><td>{subject['status']}</td><td>{_words(charge, subject['amount'])}</td><td>"
        f'<form method="post" action="/payments/{charge["payment_intent"]}">'
        f'<input type="hidden" name="id" value="{subject["id"]}">{buttons}</form></td></tr>'
    )


def _words(charge: Json, amount: int) -> str:
    return amount_in_words(amount, charge["currency"])
