from decimal import Decimal
from typing import Any

from cart.models import Coupon


def make_coupon(code: str = "SUMMER", **fields: Any) -> Coupon:
    values = {"code": code, **fields}
    if "amount" not in fields:
        values.setdefault("percent", Decimal("33"))
    return Coupon.objects.create(**values)
