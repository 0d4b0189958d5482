"""
The other end of the faults, for tests in another process: a small JSON API under /_control/.

    GET  /_control/state                    the books, the faults, what the webhook answered
    POST /_control/faults    {knob: value}  turn knobs (faults.py); {} resets all
    POST /_control/pay       {"session": id, "method": "card" | "sepa_debit"}
    POST /_control/decline   {"session": id, "code": "card_declined" | "insufficient_funds" | … (cards.py)}
    POST /_control/expire    {"session": id}
    POST /_control/settle    {"session": id, "arrived": true}
    POST /_control/refund    {"payment_intent": id, "amount": minor units or none}, as in Stripe's dashboard
    POST /_control/refund_way     {"payment_intent": id, "way": "" | "pending" | "returned"}, for refunds to come
    POST /_control/settle_refund | return_refund   {"refund": id}
    POST /_control/dispute   {"payment_intent": id, "reason": …, "status": "needs_response" | "warning_needs_response"}
    POST /_control/review_dispute | close_dispute  {"dispute": id, "won": true}
    POST /_control/advance   {"seconds": n}
    POST /_control/redeliver {"event": id}
    POST /_control/release | drain          {}
"""

from collections.abc import Callable
from typing import Any

from . import cards
from .objects import Json
from .params import ApiError
from .parts import Parts


def answer(simulator: Parts, method: str, path: str, given: Json) -> tuple[int, Any]:
    name = path.removeprefix("/_control/")
    if method == "GET" and name == "state":
        return 200, state(simulator)
    act = ACTS.get(name)
    if method != "POST" or act is None:
        return 404, {"error": f"no such act: {name}"}
    try:
        return 200, act(simulator, given)
    except ApiError as error:
        return error.status, error.body
    except (KeyError, TypeError, ValueError) as error:
        return 400, {"error": repr(error)}


def state(simulator: Parts) -> Json:
    ledger = simulator.ledger
    with ledger.lock:
        return {
            "sessions": list(ledger.sessions.values()),
            "payment_intents": list(ledger.intents.values()),
            "charges": list(ledger.charges.values()),
            "refunds": list(ledger.refunds.values()),
            "disputes": list(ledger.disputes.values()),
            "events": len(ledger.events),
            "calls": list(simulator.api.calls),
            "outcomes": list(simulator.courier.outcomes),
            "faults": simulator.faults.as_json(),
        }


def set_faults(simulator: Parts, given: Json) -> Json:
    if given:
        simulator.faults.set(**given)
    else:
        simulator.faults.reset()
    return simulator.faults.as_json()


def redeliver(simulator: Parts, given: Json) -> None:
    event = next(event for event in simulator.ledger.events if event["id"] == given["event"])
    simulator.courier.tell(event)


def expire(simulator: Parts, given: Json) -> Json:
    with simulator.ledger.change():
        return simulator.ledger.expire(given["session"])


def refund_way(simulator: Parts, given: Json) -> None:
    """Say what becomes of the refunds of a payment from now on."""
    if given["way"] not in ("", "pending", "returned"):
        raise ValueError(f"no such way: {given['way']}")
    with simulator.ledger.change():
        simulator.ledger.refund_ways[simulator.ledger.charge_of(given["payment_intent"])["id"]] = given["way"]


ACTS: dict[str, Callable[[Parts, Json], Any]] = {
    "faults": set_faults,
    "pay": lambda simulator, given: simulator.ledger.pay(given["session"], method=given.get("method", "card")),
    "decline": lambda simulator, given: simulator.ledger.decline(
        given["session"], cards.by_code(given.get("code", "card_declined"))
    ),
    "expire": expire,
    "settle": lambda simulator, given: simulator.ledger.settle(given["session"], arrived=given.get("arrived", True)),
    "refund": lambda simulator, given: simulator.ledger.refund(given["payment_intent"], amount=given.get("amount")),
    "refund_way": refund_way,
    "settle_refund": lambda simulator, given: simulator.ledger.settle_refund(given["refund"]),
    "return_refund": lambda simulator, given: simulator.ledger.fail_refund(given["refund"]),
    "dispute": lambda simulator, given: simulator.ledger.dispute(
        given["payment_intent"],
        reason=given.get("reason", "fraudulent"),
        status=given.get("status", "needs_response"),
        amount=given.get("amount"),
    ),
    "review_dispute": lambda simulator, given: simulator.ledger.review_dispute(given["dispute"]),
    "close_dispute": lambda simulator, given: simulator.ledger.close_dispute(given["dispute"], won=given["won"]),
    "advance": lambda simulator, given: simulator.ledger.advance(int(given["seconds"])),
    "redeliver": redeliver,
    "release": lambda simulator, given: simulator.courier.release(),
    "drain": lambda simulator, given: simulator.courier.drain(given.get("timeout", 30)),
}
