"""The simulator's books: sessions, payments and refunds, and the acts that change them and tell the shop."""

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import cards, objects
from .faults import Faults
from .objects import Json
from .params import ApiError

TABLES = (
    "sessions",
    "items",
    "intent_metadata",
    "intents",
    "charges",
    "refunds",
    "refund_ways",
    "disputes",
    "coupons",
    "replies",
)

OPEN_DISPUTES = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


class Ledger:
    """
    Everything in memory under one lock; with a `path`, written to that file after each change, so a restart keeps it.

    `tell` is called with each new event, inside the lock, and must not block.
    """

    def __init__(self, *, tell: Callable[[Json], None], faults: Faults, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.faults = faults
        self.path = path
        self.tell = tell
        self.base_url = ""
        self.skipped_seconds = 0
        self.request: Json = {"id": None, "idempotency_key": None}
        self.events: list[Json] = []
        self.sessions: dict[str, Json] = {}
        self.items: dict[str, list[Json]] = {}
        self.intent_metadata: dict[str, Json] = {}
        self.intents: dict[str, Json] = {}
        self.charges: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        # What becomes of a charge's refunds: "pending" ones take a while, "returned" ones come back (charge id -> way).
        self.refund_ways: dict[str, str] = {}
        self.disputes: dict[str, Json] = {}
        self.coupons: dict[str, Json] = {}
        # Answers by idempotency key: see api.py.
        self.replies: dict[str, Json] = {}
        if path is not None and path.exists():
            self._load(path)

    def now(self) -> int:
        return int(time.time()) + self.skipped_seconds

    def advance(self, seconds: int) -> None:
        """Let time pass: what was to expire by then does."""
        with self.change():
            self.skipped_seconds += seconds
            self.expire_due()

    @contextmanager
    def change(self) -> Iterator[None]:
        with self.lock:
            yield
            self._save()

    # --- Acts -------------------------------------------------------------------------------------------------------

    def add_session(self, session: Json, items: list[Json], intent_metadata: Json) -> None:
        self.sessions[session["id"]] = session
        self.items[session["id"]] = items
        self.intent_metadata[session["id"]] = intent_metadata

    def session(self, session_id: str) -> Json:
        self.expire_due()
        try:
            return self.sessions[session_id]
        except KeyError:
            raise _missing("checkout.session", session_id, "session") from None

    def expire(self, session_id: str) -> Json:
        session = self.session(session_id)
        if session["status"] != "open":
            raise ApiError(400, 'Only Checkout Sessions with a status in ["open"] can be expired.')
        return self._expire(session)

    def expire_due(self) -> None:
        with self.lock:
            for session in list(self.sessions.values()):
                if session["status"] == "open" and session["expires_at"] <= self.now():
                    self._expire(session)

    def pay(self, session_id: str, *, method: str = "card", email: str | None = None, card: str = cards.PAYS) -> Json:
        """Complete an open session: paid at once by card, unpaid until settle() by "sepa_debit"."""
        with self.change():
            session = self._open(session_id)
            session.update(status="complete", url=None, customer_details=_customer(email or session["customer_email"]))
            self._distort(session)
            if session["payment_status"] != "no_payment_required":
                intent = self._intent(session)
                if method == "card":
                    session["payment_status"] = "paid"
                    self._capture(intent, method, email)
                else:
                    intent["status"] = "processing"
            self.emit("checkout.session.completed", session)
            if method == "card" and session["payment_intent"]:
                self._remember_card(session["payment_intent"], cards.digits_of(card))
            return session

    def _remember_card(self, intent_id: str, digits: str) -> None:
        if way := cards.REFUNDS.get(digits):
            self.refund_ways[self.charge_of(intent_id)["id"]] = way
        if status := cards.DISPUTES.get(digits):
            self.dispute(intent_id, status=status)

    def decline(self, session_id: str, decline: cards.Decline = cards.GENERIC) -> None:
        with self.change():
            intent = self._intent(self._open(session_id))
            error = {"type": "card_error", "code": decline.code, "message": decline.message}
            if decline.decline_code:
                error["decline_code"] = decline.decline_code
            intent["last_payment_error"] = error
            self.emit("payment_intent.payment_failed", intent)

    def settle(self, session_id: str, *, arrived: bool = True) -> None:
        """End a payment that was on its way: the money arrives, or the bank refuses."""
        with self.change():
            session = self.session(session_id)
            intent = self.intents[session["payment_intent"]]
            if intent["status"] != "processing":
                return
            if arrived:
                session["payment_status"] = "paid"
                self._capture(intent, "sepa_debit", None)
                self.emit("checkout.session.async_payment_succeeded", session)
                return
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {"type": "card_error", "code": "payment_intent_payment_attempt_failed"}
            self.emit("payment_intent.payment_failed", intent)
            self.emit("checkout.session.async_payment_failed", session)

    def refund(self, intent_id: str, *, amount: int | None = None, params: Json | None = None) -> Json:
        """Give back `amount`, or what is left; never more than was paid, and nothing that the buyer's bank has taken."""
        with self.change():
            charge = self.charge_of(intent_id)
            if any(self._blocks_refunds(dispute) for dispute in self.disputes_of(charge)):
                message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
                raise ApiError(400, message, code="charge_disputed")
            left = charge["amount"] - charge["amount_refunded"]
            if not left:
                raise ApiError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
            amount = left if amount is None else amount
            if amount > left:
                raise ApiError(
                    400,
                    f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                    param="amount",
                )
            is_pending = self.refund_ways.get(charge["id"]) == "pending"
            status = "pending" if is_pending else "succeeded"
            refund = objects.refund(now=self.now(), charge=charge, amount=amount, params=params or {}, status=status)
            self.refunds[refund["id"]] = refund
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
            self.emit("refund.created", refund)
            self.emit("charge.refunded", charge)
            return refund

    def adopt(self, intent_id: str, *, amount: int, currency: str, refunds: dict[str, int]) -> bool:
        """
        Enter a payment by card that these books do not have, with what went back of it (id -> amount), telling nobody.

        False when it is known. Demo orders were never paid here, and somebody may have thrown the books away.
        """
        if intent_id in self.intents:
            return False
        now = self.now()
        intent = objects.payment_intent(now=now, amount=amount, currency=currency.lower(), metadata={})
        charge = objects.charge(now=now, intent=intent | {"id": intent_id}, method="card", email=None)
        given = sum(refunds.values())
        charge.update(amount_refunded=given, refunded=given == amount)
        intent.update(id=intent_id, status="succeeded", amount_received=amount, latest_charge=charge["id"])
        self.intents[intent_id] = intent
        self.charges[charge["id"]] = charge
        for refund_id, part in refunds.items():
            refund = objects.refund(now=now, charge=charge, amount=part, params={})
            self.refunds[refund_id] = refund | {"id": refund_id}
        return True

    def settle_refund(self, refund_id: str) -> None:
        """A pending refund reaches the buyer's bank."""
        with self.change():
            refund = self.refunds[refund_id]
            if refund["status"] != "pending":
                raise ApiError(400, f"This refund is {refund['status']}.")
            refund["status"] = "succeeded"
            self.emit("refund.updated", refund)

    def finish_refunds(self, *, older_than: float) -> None:
        """Let the refunds that take a while end: of the cards that make them pending, and of those that return them."""
        with self.lock:
            for refund in list(self.refunds.values()):
                if refund["created"] > self.now() - older_than:
                    continue
                if refund["status"] == "pending":
                    self.settle_refund(refund["id"])
                elif refund["status"] == "succeeded" and self.refund_ways.get(refund["charge"]) == "returned":
                    self.fail_refund(refund["id"])

    def fail_refund(self, refund_id: str) -> None:
        """The buyer's bank sends the money back: Stripe keeps it, and the refund did not happen."""
        with self.change():
            refund = self.refunds[refund_id]
            if refund["status"] not in ("pending", "succeeded"):
                raise ApiError(400, f"This refund is {refund['status']}.")
            refund.update(status="failed", failure_reason="expired_or_canceled_card")
            charge = self.charges[refund["charge"]]
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self.emit("refund.updated", refund)
            self.emit("refund.failed", refund)

    def dispute(
        self, intent_id: str, *, reason: str = "fraudulent", status: str = "needs_response", amount: int | None = None
    ) -> Json:
        """The buyer's bank asks ("warning_needs_response") or takes the money at once ("needs_response")."""
        with self.change():
            charge = self.charge_of(intent_id)
            if any(one["status"] in OPEN_DISPUTES for one in self.disputes_of(charge)):
                raise ApiError(400, f"Charge {charge['id']} is disputed already.")
            charge["disputed"] = True
            dispute = objects.dispute(now=self.now(), charge=charge, reason=reason, status=status)
            dispute["amount"] = amount or dispute["amount"]
            self.disputes[dispute["id"]] = dispute
            self.emit("charge.dispute.created", dispute)
            if not status.startswith("warning_"):
                self._book(dispute, -dispute["amount"])
                self.emit("charge.dispute.funds_withdrawn", dispute)
            return dispute

    def review_dispute(self, dispute_id: str) -> None:
        """The seller has sent evidence, and the bank looks at it."""
        with self.change():
            dispute = self._open_dispute(dispute_id)
            dispute["status"] = dispute["status"].replace("needs_response", "under_review")
            self.emit("charge.dispute.updated", dispute)

    def close_dispute(self, dispute_id: str, *, won: bool) -> None:
        """The bank decides; an inquiry that is won is closed without a word, one that is lost takes the money."""
        with self.change():
            dispute = self._open_dispute(dispute_id)
            is_inquiry = dispute["status"].startswith("warning_")
            dispute["status"] = ("warning_closed" if is_inquiry else "won") if won else "lost"
            dispute["is_charge_refundable"] = won
            if won != is_inquiry:
                self._book(dispute, dispute["amount"] if won else -dispute["amount"])
                self.emit(f"charge.dispute.funds_{'reinstated' if won else 'withdrawn'}", dispute)
            self.emit("charge.dispute.closed", dispute)

    def _open_dispute(self, dispute_id: str) -> Json:
        dispute = self.disputes.get(dispute_id)
        if dispute is None:
            raise _missing("dispute", dispute_id, "dispute")
        if dispute["status"] not in OPEN_DISPUTES:
            raise ApiError(400, f"This dispute is {dispute['status']}.")
        return dispute

    def _book(self, dispute: Json, amount: int) -> None:
        entry = objects.balance_transaction(now=self.now(), dispute=dispute, amount=amount)
        dispute["balance_transactions"].append(entry)

    def disputes_of(self, charge: Json) -> list[Json]:
        return [dispute for dispute in self.disputes.values() if dispute["charge"] == charge["id"]]

    def _blocks_refunds(self, dispute: Json) -> bool:
        return not dispute["is_charge_refundable"]

    def charge_of(self, intent_id: str) -> Json:
        for charge in self.charges.values():
            if charge["payment_intent"] == intent_id:
                return charge
        if intent_id in self.intents:
            raise ApiError(400, f"The PaymentIntent {intent_id} does not have a successful charge to refund.")
        raise _missing("payment_intent", intent_id, "payment_intent")

    def emit(self, kind: str, subject: Json) -> Json:
        event = objects.event(now=self.now(), kind=kind, subject=copy.deepcopy(subject), request=dict(self.request))
        self.events.insert(0, event)
        self.tell(event)
        return event

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _open(self, session_id: str) -> Json:
        session = self.session(session_id)
        if session["status"] != "open":
            raise ApiError(400, f"This Checkout Session is {session['status']}.")
        return session

    def _expire(self, session: Json) -> Json:
        session.update(status="expired", url=None)
        self.emit("checkout.session.expired", session)
        return session

    def _intent(self, session: Json) -> Json:
        """Return the session's payment intent, made when the buyer first tries to pay."""
        if session["payment_intent"] is None:
            intent = objects.payment_intent(
                now=self.now(),
                amount=session["amount_total"],
                currency=session["currency"],
                metadata=self.intent_metadata[session["id"]],
            )
            self.intents[intent["id"]] = intent
            session["payment_intent"] = intent["id"]
        return self.intents[session["payment_intent"]]

    def _capture(self, intent: Json, method: str, email: str | None) -> None:
        charge = objects.charge(now=self.now(), intent=intent, method=method, email=email)
        self.charges[charge["id"]] = charge
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            latest_charge=charge["id"],
            payment_method=charge["payment_method"],
        )
        self.emit("payment_intent.succeeded", intent)

    def _distort(self, session: Json) -> None:
        """Show another amount, currency, mode or order than was agreed, when the faults say so."""
        faults = self.faults
        wrong = {"amount_total": faults.amount, "currency": faults.currency, "livemode": faults.livemode}
        session.update({name: value for name, value in wrong.items() if value is not None})
        if faults.metadata is not None:
            session.update(metadata=faults.metadata, client_reference_id=faults.metadata.get("order"))

    def _save(self) -> None:
        if self.path is None:
            return
        state = {name: getattr(self, name) for name in TABLES}
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps({**state, "events": self.events[:500]}))
        draft.replace(self.path)

    def _load(self, path: Path) -> None:
        state = json.loads(path.read_text())
        for name in (*TABLES, "events"):
            setattr(self, name, state.get(name, getattr(self, name)))  # books of an older version lack the newer tables


def _missing(kind: str, identity: str, param: str) -> ApiError:
    return ApiError(404, f"No such {kind}: '{identity}'", code="resource_missing", param=param)


def _customer(email: str | None) -> Json:
    unset = dict.fromkeys(("business_name", "individual_name", "name", "phone"))
    return {**unset, "address": objects.no_address(), "email": email, "tax_exempt": "none", "tax_ids": []}
