"""Stripe's objects as plain dicts, with every field the SDK's annotated classes call for; tests hold this to them."""

import secrets
import string
from typing import Any

API_VERSION = "2026-10-28.endive"
ALPHABET = string.ascii_letters + string.digits

Json = dict[str, Any]


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(length))}"


def no_address() -> Json:
    return dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def session(*, base_url: str, now: int, currency: str, amounts: Json, params: Json) -> Json:
    """Return an open Checkout Session; `amounts` holds subtotal, discount, shipping and total in minor units."""
    session_id = new_id("cs_test", 58)
    unused = (
        "adaptive_pricing after_expiration allow_promotion_codes billing_address_collection client_secret "
        "collected_information consent consent_collection currency_conversion customer customer_account "
        "customer_details integration_identifier invoice invoice_creation managed_payments origin_context "
        "payment_intent payment_link payment_method_configuration_details permissions recovered_from "
        "saved_payment_method_options setup_intent shipping_address_collection subscription wallet_options"
    )
    shipping = {"amount_subtotal": amounts["shipping"], "amount_tax": 0, "amount_total": amounts["shipping"]}
    return {
        **dict.fromkeys(unused.split()),
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": amounts["subtotal"],
        "amount_total": amounts["total"],
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer_creation": "if_required",
        "customer_email": params.get("customer_email"),
        "discounts": [{"coupon": coupon["coupon"], "promotion_code": None} for coupon in params.get("discounts", [])],
        "expires_at": params["expires_at"],
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card", "sepa_debit"],
        "payment_status": "unpaid" if amounts["total"] else "no_payment_required",
        "phone_number_collection": {"enabled": False},
        "shipping_cost": {**shipping, "shipping_rate": None} if amounts["shipping"] else None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "success_url": params["success_url"],
        "total_details": {
            "amount_discount": amounts["discount"],
            "amount_shipping": amounts["shipping"],
            "amount_tax": 0,
        },
        "ui_mode": "hosted_page",
        "url": f"{base_url}/c/pay/{session_id}",
    }


def line_item(*, now: int, currency: str, name: str, unit_amount: int, quantity: int) -> Json:
    total = unit_amount * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": currency,
        "description": name,
        "metadata": {},
        "price": price(now=now, currency=currency, unit_amount=unit_amount),
        "quantity": quantity,
    }


def price(*, now: int, currency: str, unit_amount: int) -> Json:
    unused = "custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity"
    return {
        **dict.fromkeys(unused.split()),
        "id": new_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": new_id("prod", 14),
        "tax_behavior": "unspecified",
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
    }


def payment_intent(*, now: int, amount: int, currency: str, metadata: Json) -> Json:
    intent_id = new_id("pi")
    unused = (
        "application application_fee_amount automatic_payment_methods canceled_at cancellation_reason customer "
        "customer_account description excluded_payment_method_types last_payment_error latest_charge managed_payments "
        "next_action on_behalf_of payment_method payment_method_configuration_details processing receipt_email review "
        "setup_future_usage shipping source statement_descriptor statement_descriptor_suffix transfer_data "
        "transfer_group"
    )
    return {
        **dict.fromkeys(unused.split()),
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
        "confirmation_method": "automatic",
        "created": now,
        "currency": currency,
        "livemode": False,
        "metadata": metadata,
        "payment_method_options": {},
        "payment_method_types": ["card", "sepa_debit"],
        "status": "requires_payment_method",
    }


def charge(*, now: int, intent: Json, method: str, email: str | None) -> Json:
    """Return a succeeded charge of the whole intent by "card" or "sepa_debit"."""
    unused = (
        "application application_fee application_fee_amount calculated_statement_descriptor customer description "
        "failure_balance_transaction failure_code failure_message on_behalf_of receipt_email receipt_number "
        "receipt_url review shipping source source_transfer statement_descriptor statement_descriptor_suffix "
        "transfer_data transfer_group"
    )
    return {
        **dict.fromkeys(unused.split()),
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": new_id("txn"),
        "billing_details": {"address": no_address(), "email": email, "name": None, "phone": None, "tax_id": None},
        "captured": True,
        "created": now,
        "currency": intent["currency"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": {
            **dict.fromkeys(("advice_code", "network_advice_code", "network_decline_code", "reason")),
            "network_status": "approved_by_network",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "payment_method_details": {"type": method},
        "refunded": False,
        "status": "succeeded",
    }


def refund(*, now: int, charge: Json, amount: int, params: Json, status: str = "succeeded") -> Json:
    unused = "customer customer_account payment_method receipt_number source_transfer_reversal transfer_reversal"
    return {
        **dict.fromkeys(unused.split()),
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "destination_details": {"type": "card"},
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "status": status,
    }


def dispute(*, now: int, charge: Json, reason: str, status: str) -> Json:
    """Return a dispute over what is left of a charge; a "warning_…" one is an inquiry, which takes no money yet."""
    evidence = (
        "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
        "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
        "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt "
        "refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation "
        "shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number "
        "uncategorized_file uncategorized_text"
    )
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge["amount"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(evidence.split()), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + 7 * 86400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": status.startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": None,
        "reason": reason,
        "status": status,
    }


def balance_transaction(*, now: int, dispute: Json, amount: int) -> Json:
    """Return the money that a dispute takes (less than nothing) or brings back."""
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": dispute["currency"],
        "description": f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}",
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }


def coupon(*, now: int, params: Json) -> Json:
    return {
        "id": params.get("id") or new_id("", 8).strip("_"),
        "object": "coupon",
        "amount_off": params.get("amount_off"),
        "created": now,
        "currency": params.get("currency"),
        "duration": params.get("duration", "once"),
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": params.get("metadata", {}),
        "name": params.get("name"),
        "percent_off": params.get("percent_off"),
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }


def event(*, now: int, kind: str, subject: Json, request: Json) -> Json:
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": {"object": subject},
        "livemode": subject.get("livemode", False),
        "pending_webhooks": 1,
        "request": request,
        "type": kind,
    }


def page_of(items: list[Json], *, url: str, limit: int, after: str | None = None) -> Json:
    """Return one page of Stripe's lists, newest first, `after` being the id of the last object already seen."""
    if after is not None:
        ids = [item["id"] for item in items]
        items = items[ids.index(after) + 1 :] if after in ids else []
    return {"object": "list", "data": items[:limit], "has_more": len(items) > limit, "url": url}
