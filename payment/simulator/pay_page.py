"""The page the buyer pays on: our own, looking like a pay page, with the test cards and without JavaScript."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from shop.charges import from_stripe
from shop.money import exponent

from . import cards
from .objects import Json
from .params import ApiError
from .parts import Parts

FOLDER = Path(__file__).parent / "pages"
SESSION = re.compile(r"/c/pay/(cs_test_[A-Za-z0-9]+)(/3ds)?")
# The buyer comes back about when the shop has heard: Stripe waits a moment for the webhook too.
PATIENCE = 2.0


@dataclass
class Page:
    status: int
    body: str
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def answer(simulator: Parts, method: str, path: str, form: dict[str, str]) -> Page:
    if path == "/pay.css" and method == "GET":
        return Page(200, (FOLDER / "pay.css").read_text(), "text/css; charset=utf-8")
    match = SESSION.fullmatch(path)
    if match is None:
        return Page(404, message("There is no such page here."))
    try:
        session = simulator.ledger.session(match[1])
    except ApiError:
        return Page(404, message("This payment is not known here. Go back to the shop and start again."))
    act = {("GET", None): show, ("POST", None): submit, ("GET", "/3ds"): ask, ("POST", "/3ds"): confirm}.get(
        (method, match[2])
    )
    if act is None:
        return Page(405, message("That cannot be done here."), headers={"Allow": "GET, POST"})
    if session["status"] != "open":
        return _page(session, 200, "closed", **_ending(session))
    return act(simulator, session, form)


def show(simulator: Parts, session: Json, form: dict[str, str], problem: str = "") -> Page:
    lines = simulator.ledger.items[session["id"]]
    details = session["total_details"]
    rows = [(f"{line['quantity']} x {line['description']}", line["amount_total"]) for line in lines]
    if details["amount_shipping"]:
        rows.append(("Shipping", details["amount_shipping"]))
    if details["amount_discount"]:
        rows.append(("Discount", -details["amount_discount"]))
    return _page(
        session,
        402 if problem else 200,
        "pay",
        rows="".join(
            f"<tr><td>{escape(name)}</td><td>{amount_in_words(amount, session['currency'])}</td></tr>"
            for name, amount in rows
        ),
        email=escape(form.get("email") or session["customer_email"] or ""),
        card=escape(form.get("card", "4242 4242 4242 4242")),
        problem=f'<p class="problem" role="alert" id="problem">{escape(problem)}</p>' if problem else "",
        invalid='aria-invalid="true" aria-describedby="problem"' if problem else "",
        declines="".join(f"<option>{known.decline_code or known.code}</option>" for known in cards.DECLINES.values()),
        cancel=escape(session["cancel_url"] or session["success_url"]),
    )


def submit(simulator: Parts, session: Json, form: dict[str, str]) -> Page:
    method = form.get("method", "card")
    if method in ("bank", "bank_fails"):
        return _finish(simulator, session, lambda: simulator.pay_by_bank(session["id"], arrives=method == "bank"))
    number = form.get("card", "")
    declined = cards.by_code(form.get("code", "")) if method == "decline" else cards.decline(number)
    if declined:
        simulator.ledger.decline(session["id"], declined)
        return show(simulator, session, form, declined.message)
    if cards.asks_for_3d_secure(number):
        return Page(303, "", headers={"Location": f"/c/pay/{session['id']}/3ds"})
    return _finish(
        simulator, session, lambda: simulator.ledger.pay(session["id"], email=form.get("email"), card=number)
    )


def ask(simulator: Parts, session: Json, form: dict[str, str]) -> Page:
    return _page(session, 200, "secure", amount=amount_in_words(session["amount_total"], session["currency"]))


def confirm(simulator: Parts, session: Json, form: dict[str, str]) -> Page:
    if form.get("outcome") == "complete":
        return _finish(simulator, session, lambda: simulator.ledger.pay(session["id"]))
    problem = "We are unable to authenticate your payment method. Please choose a different one and try again."
    refused = cards.Decline("payment_intent_authentication_failure", "", problem)
    simulator.ledger.decline(session["id"], refused)
    return show(simulator, session, {"card": ""}, problem)


def message(text: str) -> str:
    return render("page", title="Local Stripe", body=f"<main><p>{escape(text)}</p></main>")


def _finish(simulator: Parts, session: Json, pay: Callable[[], object]) -> Page:
    try:
        pay()
    except ApiError:  # paid or expired in another tab a moment ago
        return _page(session, 200, "closed", **_ending(session))
    simulator.courier.drain(PATIENCE)
    return Page(303, "", headers={"Location": session["success_url"]})


def _ending(session: Json) -> dict[str, str]:
    if session["status"] == "complete":
        panel = f"/payments/{session['payment_intent']}" if session["payment_intent"] else "/"
        return {"said": "This payment is complete.", "back": escape(session["success_url"]), "panel": panel}
    said = "This payment has expired. Nothing was charged."
    return {"said": said, "back": escape(session["cancel_url"] or ""), "panel": "/"}


def _page(session: Json, status: int, name: str, **values: str) -> Page:
    total = amount_in_words(session["amount_total"], session["currency"])
    body = render(name, session=session["id"], total=total, **values)
    # A form that is redirected to the shop is checked against form-action as well.
    targets = {f"{p.scheme}://{p.netloc}" for p in map(urlsplit, (session["success_url"], session["cancel_url"] or ""))}
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {' '.join(sorted(targets - {'://'}))}"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Page(status, render("page", title=f"Pay {total}", body=body), headers=headers)


def render(name: str, **values: str) -> str:
    return Template((FOLDER / f"{name}.html").read_text()).substitute(values)


def amount_in_words(minor: int, currency: str) -> str:
    return f"{from_stripe(minor, currency):,.{exponent(currency)}f}\u00a0{currency.upper()}"
