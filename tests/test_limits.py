"""Every address that changes something has a limit, or a reason here why it needs none."""

import re
from collections.abc import Iterator
from typing import Any

from django.test import TestCase
from django.urls import URLResolver, get_resolver

SAMPLES = {"int": "1", "slug": "x", "str": "x", "path": "x"}
OWN = "a member changes or deletes their own, which can be repeated at will"
SECRET = "does what the mailed link was made for, once; who has none gets nothing"
SESSION = "writes only the session of whoever asks"
STAFF = "for staff"
COUNTED = "counts inside, by more than the visitor: "
WITHOUT = {
    "admin_login": "leads to the login, which counts",
    "logout": SESSION,
    "password_change": COUNTED + "the tries at the password (account/tries.py)",
    "password_change_done": "Django's page to read, which asks for the login before it says so",
    "password_reset_confirm": SECRET,
    "account:prove_send": COUNTED + "mails per member",
    "account:join": SECRET,
    "account:prove": SECRET,
    "account:email_confirm": SECRET,
    "account:second_factor": COUNTED + "the tries at the code (account/tries.py)",
    "account:second_factor_setup": COUNTED + "the tries at the code (account/tries.py)",
    "account:second_factor_remove": COUNTED + "the tries at the password (account/tries.py)",
    "account:session_end": OWN,
    "social:complete": "asks Google only with a state that this session began with",
    "social:disconnect": "leads to our own page, which counts",
    "images:image_edit": OWN,
    "images:image_delete": OWN,
    "blog:comment_decide": SECRET,
    "blog:post_share": COUNTED + "visitor, sender, recipient and all together (blog/sharing.py)",
    "blog:post_comment": COUNTED + "visitor (blog/views.py)",
    "shop:stock_alert_confirm": SECRET,
    "shop:stock_alert_cancel": SECRET,
    "cart:cart_set": SESSION,
    "cart:cart_remove": SESSION,
    "cart:coupon_remove": SESSION,
    "orders:admin_order_handle": STAFF,
    "payment:process": COUNTED + "address and order (payment/views.py)",
    "payment:change": OWN,
    "payment:webhook": "signed by Stripe, and counted by nobody: a webhook that is refused is money that waits",
    "payment:refund": STAFF,
    "payment:refund_settle": STAFF,
}


def addresses(patterns: Any = None, before: str = "/", space: str = "") -> Iterator[tuple[str, str, Any]]:
    """Name, path with made-up values, and view of every address but the admin's own, which are for staff."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = re.sub(r"<(?:(\w+):)?\w+>", lambda match: SAMPLES.get(match[1], "x"), str(pattern.pattern))
        if not isinstance(pattern, URLResolver):
            yield f"{space}:{pattern.name}" if space else str(pattern.name), before + route, pattern.callback
        elif pattern.namespace != "admin":
            yield from addresses(pattern.url_patterns, before + route, pattern.namespace or space)


def has_limit(view: Any) -> bool:
    view = getattr(getattr(view, "view_class", None), "dispatch", view)
    while not hasattr(view, "rates") and hasattr(view, "__wrapped__"):
        view = view.__wrapped__
    return hasattr(view, "rates")


class LimitTests(TestCase):
    def test_whatever_takes_a_post_has_a_limit_or_a_reason(self):
        without = set()
        for name, path, view in addresses():
            if not has_limit(view) and self.client.post(path).status_code != 405:
                without.add(name)

        assert sorted(without - WITHOUT.keys()) == [], "give these @limited(), or say here why they need none"
        assert sorted(WITHOUT.keys() - without) == [], "these have a limit by now, or are gone"
