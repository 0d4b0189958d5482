"""Every address of the site, read from the URLconf: a new view is in every test that asks them all by being there."""

from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from account.tests.factories import make_user
from blog.tests.factories import make_comment, make_post
from images.tests.factories import make_image
from orders.tests.factories import make_order
from payment.models import Payment, Refund
from shop.tests.factories import make_product

OTHERS_OWN = ("admin/", "social-auth/", "^media/")


@cache
def addresses() -> dict[str, URLPattern]:
    return dict(_walk(get_resolver(), ""))


def _walk(resolver: URLResolver, namespace: str):
    for pattern in resolver.url_patterns:
        if str(pattern.pattern).startswith(OTHERS_OWN):
            continue
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace)
        else:
            yield f"{namespace}{pattern.name}", pattern


class OneOfEach:
    """A site with one thing of each kind, all of them public, for tests that ask every address."""

    @classmethod
    def fill(cls):
        cls.alice = make_user("alice")
        cls.staff = make_user("staff", staff=True)
        cls.post = make_post("Paper", author=cls.alice, tags=("craft",))
        make_comment(cls.post)
        cls.image = make_image(owner=cls.alice)
        cls.product = make_product("Notebook", stock=5)
        cls.order = make_order(buyer=cls.alice)
        payment = Payment.objects.create(order=cls.order, payment_intent="pi_1", amount=1250, currency="EUR")
        cls.refund = Refund.objects.create(payment=payment, idempotency_key="1", amount=100, status="returned")

    def real(self, name: str, pattern: URLPattern) -> str:
        """Return an address that exists, where the pattern's parts name one of the things above."""
        on = self.post.publish_on
        known = {
            "blog": {
                "slug": self.post.slug,
                "post_id": self.post.pk,
                "year": on.year,
                "month": on.month,
                "day": on.day,
            },
            "images": {"pk": self.image.pk, "slug": self.image.slug},
            "shop": {"category": self.product.category.slug, "product_id": self.product.pk, "slug": self.product.slug},
            "cart": {"product_id": self.product.pk},
            "orders": {"token": self.order.token, "order_id": self.order.pk, "line_id": 1, "label": "2026-1"},
            "payment": {"order_id": self.order.pk, "refund_id": self.refund.pk},
        }.get(name.partition(":")[0], {})
        known |= {"username": "alice", "section": "posts", "number": 1, "uidb64": "MQ"}
        if name in ("blog:post_list_by_tag", "blog:tag_feed"):
            known["slug"] = "craft"
        parts = pattern.pattern.converters
        return reverse(name, kwargs={part: known.get(part, "none") for part in parts})
