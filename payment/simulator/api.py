"""The REST API under /v1: authentication, idempotency, and one function per endpoint."""

import base64
import binascii
import copy
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from . import limits, objects, params
from .faults import ApiFault
from .ledger import Ledger
from .objects import API_VERSION, Json
from .params import ApiError, known
from .sessions import create_session

DAY = 86400  # a key is remembered for so long


@dataclass
class Call:
    """One request, as far as it is understood."""

    method: str
    path: str
    params: Json
    key: str = ""


@dataclass
class Reply:
    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


class ConnectionCut(Exception):
    """The connection is to be closed without an answer."""


class Api:
    """Answers calls out of a Ledger. `wait` sleeps for a hanging call, `deliver` sends the events due and waits."""

    def __init__(
        self, ledger: Ledger, *, secret_key: str, wait: Callable[[float], Any], deliver: Callable[[], Any]
    ) -> None:
        self.ledger = ledger
        self.secret_key = secret_key
        self.wait = wait
        self.deliver = deliver
        self.in_flight: set[str] = set()
        # How often each method and path was called, replays included: tests count sessions and calls.
        self.calls: list[str] = []

    def answer(self, method: str, path: str, encoded: str, headers: Any) -> Reply:
        request_id = objects.new_id("req", 14)
        self.calls.append(f"{method} {path}")
        try:
            self._authenticate(headers.get("Authorization", ""))
            call = Call(method, path, params.parse(encoded), headers.get("Idempotency-Key") or "")
            fault = self.ledger.faults.take(method, path)
            reply = self._once(call, request_id, fault)
            if fault is not None and fault.mode == "odd":
                reply = Reply(200, fault.body)
        except ApiError as error:
            reply = Reply(error.status, error.body)
        reply.headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, **reply.headers}
        return reply

    def _authenticate(self, header: str) -> None:
        scheme, _, credential = header.partition(" ")
        given = credential.strip()
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if not given:
            raise ApiError(401, "You did not provide an API key.")
        if not hmac.compare_digest(given.encode(), self.secret_key.encode()):
            raise ApiError(401, f"Invalid API Key provided: {given[:7]}***", code="api_key_invalid")

    def _once(self, call: Call, request_id: str, fault: ApiFault | None) -> Reply:
        """Answer a repeated POST with the first answer, whatever it was, unless its parameters changed."""
        self._fail_early(fault)
        if call.method != "POST" or not call.key:
            return self._perform(call, request_id, fault)
        fingerprint = _fingerprint(call)
        with self.ledger.lock:
            known = self._known(call.key, fingerprint)
            if known is not None:
                _cut_after(fault)
                return Reply(known["status"], known["body"], {"Idempotent-Replayed": "true"})
            if call.key in self.in_flight:
                message = "There is currently another in-progress request using this idempotency key."
                raise ApiError(409, message, kind="idempotency_error", code="idempotency_key_in_use")
            self.in_flight.add(call.key)
        try:
            return self._perform(call, request_id, fault)
        finally:
            self.in_flight.discard(call.key)

    def _known(self, key: str, fingerprint: str) -> Json | None:
        if len(key) > 255:
            raise ApiError(400, "Idempotency keys must be at most 255 characters long.", kind="idempotency_error")
        known = self.ledger.replies.get(key)
        if known is None or known["created"] < self.ledger.now() - DAY:
            return None
        if known["fingerprint"] != fingerprint:
            raise ApiError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        return known

    def _perform(self, call: Call, request_id: str, fault: ApiFault | None) -> Reply:
        with self.ledger.change():
            self.ledger.request = {"id": request_id, "idempotency_key": call.key or None}
            try:
                reply = self._route(call) if fault is None or fault.mode != "500" else _broken()
            finally:
                self.ledger.request = {"id": None, "idempotency_key": None}
            # Refused parameters raise and are not stored: the caller may correct them under the same key.
            if call.key and call.method == "POST":
                self.ledger.replies[call.key] = {
                    "fingerprint": _fingerprint(call),
                    "status": reply.status,
                    "body": reply.body,
                    "created": self.ledger.now(),
                }
        if fault is not None and fault.mode == "event_first":
            self.ledger.pay(reply.body["id"])
            self.deliver()
        _cut_after(fault)
        return reply

    def _fail_early(self, fault: ApiFault | None) -> None:
        if fault is None:
            return
        if fault.mode == "429":
            raise ApiError(429, "Too many requests.", kind="rate_limit_error", code="rate_limit")
        if fault.mode == "hang":
            self.wait(fault.seconds)
        if fault.mode in ("hang", "close_before"):
            raise ConnectionCut

    def _route(self, call: Call) -> Reply:
        for method, pattern, endpoint in ROUTES:
            match = re.fullmatch(pattern, call.path)
            if match and method == call.method:
                found = endpoint(self.ledger, call.params, *map(unquote, match.groups()))
                return Reply(200, _expanded(self.ledger, copy.deepcopy(found), call.params))
        raise ApiError(404, f"Unrecognized request URL ({call.method}: {call.path}).")


def _cut_after(fault: ApiFault | None) -> None:
    if fault is not None and fault.mode == "close_after":
        raise ConnectionCut


def _fingerprint(call: Call) -> str:
    return hashlib.sha256(json.dumps([call.path, call.params], sort_keys=True).encode()).hexdigest()


def _broken() -> Reply:
    return Reply(500, {"error": {"type": "api_error", "message": "An unknown error occurred."}})


# --- Endpoints ------------------------------------------------------------------------------------------------------


def retrieve_session(ledger: Ledger, _: Json, session_id: str) -> Json:
    return ledger.session(session_id)


def list_sessions(ledger: Ledger, given: Json) -> Json:
    intent = given.get("payment_intent")
    found = [s for s in reversed(ledger.sessions.values()) if intent in (None, s["payment_intent"])]
    return _page(found, given, "/v1/checkout/sessions")


def expire_session(ledger: Ledger, _: Json, session_id: str) -> Json:
    return ledger.expire(session_id)


def list_items(ledger: Ledger, given: Json, session_id: str) -> Json:
    ledger.session(session_id)
    return _page(ledger.items[session_id], given, f"/v1/checkout/sessions/{session_id}/line_items")


def retrieve_intent(ledger: Ledger, _: Json, intent_id: str) -> Json:
    return known(ledger.intents, "payment_intent", intent_id)


def retrieve_charge(ledger: Ledger, _: Json, charge_id: str) -> Json:
    return known(ledger.charges, "charge", charge_id)


def create_refund(ledger: Ledger, given: Json) -> Json:
    params.refuse_unknown(given, frozenset({"payment_intent", "charge", "amount", "reason", "metadata", "expand"}))
    intent_id = given.get("payment_intent")
    if not intent_id:
        intent_id = known(ledger.charges, "charge", params.required(given, "charge"))["payment_intent"]
    limits.reason(given.get("reason"))
    amount = None
    if "amount" in given:
        amount = limits.amount(given["amount"], ledger.charge_of(intent_id)["currency"], "amount", least=1)
    return ledger.refund(intent_id, amount=amount, params=given)


def retrieve_refund(ledger: Ledger, _: Json, refund_id: str) -> Json:
    return known(ledger.refunds, "refund", refund_id)


def list_refunds(ledger: Ledger, given: Json) -> Json:
    found = [
        refund
        for refund in reversed(ledger.refunds.values())
        if given.get("payment_intent") in (None, refund["payment_intent"])
        and given.get("charge") in (None, refund["charge"])
    ]
    return _page(found, given, "/v1/refunds")


def list_disputes(ledger: Ledger, given: Json) -> Json:
    intent = given.get("payment_intent")
    found = [one for one in reversed(ledger.disputes.values()) if intent in (None, one["payment_intent"])]
    return _page(found, given, "/v1/disputes")


def retrieve_dispute(ledger: Ledger, _: Json, dispute_id: str) -> Json:
    return known(ledger.disputes, "dispute", dispute_id)


def create_coupon(ledger: Ledger, given: Json) -> Json:
    coupon = objects.coupon(now=ledger.now(), params=given)
    if coupon["amount_off"] is None and coupon["percent_off"] is None:
        raise ApiError(400, "You must pass either amount_off or percent_off.")
    if coupon["amount_off"] is not None:
        coupon["currency"] = limits.currency(coupon["currency"], "currency")
        coupon["amount_off"] = limits.amount(coupon["amount_off"], coupon["currency"], "amount_off", least=1)
    if coupon["id"] in ledger.coupons:
        raise ApiError(400, "Coupon already exists.", code="resource_already_exists")
    ledger.coupons[coupon["id"]] = coupon
    return coupon


def retrieve_coupon(ledger: Ledger, _: Json, coupon_id: str) -> Json:
    return known(ledger.coupons, "coupon", coupon_id)


def list_events(ledger: Ledger, given: Json) -> Json:
    created = given.get("created", {})
    since = int(created.get("gte", 0)) if isinstance(created, dict) else int(created)
    found = [event for event in ledger.events if event["created"] >= since]
    types = given.get("types") or ([given["type"]] if "type" in given else None)
    return _page([event for event in found if types is None or event["type"] in types], given, "/v1/events")


def retrieve_event(ledger: Ledger, _: Json, event_id: str) -> Json:
    return known({event["id"]: event for event in ledger.events}, "event", event_id)


def _page(found: list[Json], given: Json, url: str) -> Json:
    limit = min(params.integer(given.get("limit", 10), "limit", least=1), 100)
    return objects.page_of(found, url=url, limit=limit, after=given.get("starting_after"))


def _expanded(ledger: Ledger, found: Json, given: Json) -> Json:
    for name in given.get("expand", []):
        if name == "line_items":
            found["line_items"] = objects.page_of(
                ledger.items[found["id"]], url=f"/v1/checkout/sessions/{found['id']}/line_items", limit=10
            )
        elif name == "payment_intent" and "payment_intent" in found:
            found["payment_intent"] = copy.deepcopy(ledger.intents.get(found["payment_intent"]))
        elif name == "latest_charge" and "latest_charge" in found:
            found["latest_charge"] = copy.deepcopy(ledger.charges.get(found["latest_charge"]))
        elif name == "refunds" and found["object"] == "charge":
            found["refunds"] = list_refunds(ledger, {"charge": found["id"]})
        else:
            raise ApiError(400, f"This property cannot be expanded ({name}).", param="expand")
    return found


ID = "([^/]+)"
ROUTES: list[tuple[str, str, Callable[..., Json]]] = [
    ("POST", "/v1/checkout/sessions", create_session),
    ("GET", "/v1/checkout/sessions", list_sessions),
    ("GET", f"/v1/checkout/sessions/{ID}", retrieve_session),
    ("POST", f"/v1/checkout/sessions/{ID}/expire", expire_session),
    ("GET", f"/v1/checkout/sessions/{ID}/line_items", list_items),
    ("GET", f"/v1/payment_intents/{ID}", retrieve_intent),
    ("GET", f"/v1/charges/{ID}", retrieve_charge),
    ("POST", "/v1/refunds", create_refund),
    ("GET", "/v1/refunds", list_refunds),
    ("GET", f"/v1/refunds/{ID}", retrieve_refund),
    ("GET", "/v1/disputes", list_disputes),
    ("GET", f"/v1/disputes/{ID}", retrieve_dispute),
    ("POST", "/v1/coupons", create_coupon),
    ("GET", f"/v1/coupons/{ID}", retrieve_coupon),
    ("GET", "/v1/events", list_events),
    ("GET", f"/v1/events/{ID}", retrieve_event),
]
