"""Opening a Checkout Session: what may be asked for, and what it comes to."""

from . import limits, objects, params
from .ledger import Ledger
from .objects import Json
from .params import ApiError, known

DAY = 86400
SESSION_PARAMS = frozenset(
    [
        "mode",
        "line_items",
        "success_url",
        "cancel_url",
        "client_reference_id",
        "metadata",
        "payment_intent_data",
        "expires_at",
        "customer_email",
        "discounts",
        "expand",
        "locale",
        "submit_type",
        "shipping_options",
    ]
)


def create_session(ledger: Ledger, given: Json) -> Json:
    params.refuse_unknown(given, SESSION_PARAMS)
    if params.required(given, "mode") != "payment":
        raise ApiError(400, "The simulator knows mode=payment only.", param="mode")
    params.address(params.required(given, "success_url"), "success_url")
    if given.get("cancel_url"):
        params.address(given["cancel_url"], "cancel_url")
    now = ledger.now()
    limits.lines(params.required(given, "line_items"))
    items = _items(given["line_items"], now)
    currency = items[0]["currency"]
    if any(item["currency"] != currency for item in items):
        raise ApiError(400, "All line items must use the same currency.", param="line_items")
    session = objects.session(
        base_url=ledger.base_url,
        now=now,
        currency=currency,
        amounts=_amounts(ledger, items, given, currency),
        params={**given, "expires_at": _expires_at(given, now)},
    )
    session["success_url"] = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    ledger.add_session(session, items, given.get("payment_intent_data", {}).get("metadata", {}))
    return session


def _expires_at(given: Json, now: int) -> int:
    if "expires_at" not in given:
        return now + DAY
    moment = params.integer(given["expires_at"], "expires_at")
    # A little grace: the caller worked its moment out before the call came in.
    if not now + 1800 - 30 <= moment <= now + DAY + 30:
        raise ApiError(
            400, "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    return moment


def _items(given: list[Json], now: int) -> list[Json]:
    items = []
    for index, line in enumerate(given):
        where = f"line_items[{index}]"
        data = line.get("price_data") or {}
        name = data.get("product_data", {}).get("name")
        if not name:
            raise ApiError(400, "Missing required param: name.", code="parameter_missing", param=f"{where}[price_data]")
        currency = limits.currency(data.get("currency"), f"{where}[price_data][currency]")
        items.append(
            objects.line_item(
                now=now,
                currency=currency,
                name=name,
                unit_amount=limits.amount(data.get("unit_amount"), currency, f"{where}[price_data][unit_amount]"),
                quantity=params.integer(line.get("quantity", 1), f"{where}[quantity]", least=1),
            )
        )
    return items


def _amounts(ledger: Ledger, items: list[Json], given: Json, currency: str) -> dict[str, int]:
    subtotal = sum(item["amount_total"] for item in items)
    limits.total(subtotal, currency)
    shipping = 0
    for option in given.get("shipping_options", [])[:1]:
        amount = option.get("shipping_rate_data", {}).get("fixed_amount", {}).get("amount")
        where = "shipping_options[0][shipping_rate_data][fixed_amount][amount]"
        shipping = limits.amount(amount, currency, where)
    discount = 0
    for entry in given.get("discounts", []):
        coupon = known(ledger.coupons, "coupon", entry["coupon"])
        if coupon["currency"] not in (None, currency):
            raise ApiError(400, "The coupon is for another currency.", param="discounts")
        discount = coupon["amount_off"] or round(subtotal * float(coupon["percent_off"]) / 100)
    discount = min(discount, subtotal)
    limits.total(subtotal - discount + shipping, currency)
    return {
        "subtotal": subtotal,
        "discount": discount,
        "shipping": shipping,
        "total": subtotal - discount + shipping,
    }
