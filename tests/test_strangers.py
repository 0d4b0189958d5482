"""A stranger who only looks leaves nothing behind, and one who keeps no cookies no more sessions than a limit allows."""

from django.db import connection
from django.test import Client, TransactionTestCase
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from account.models import Session
from core.caching.statements import NOT_WATCHED, effect_of
from core.web.ratelimit import hit
from tests.addresses import OneOfEach, addresses
from tests.test_every_address import FIELDS, ODD_QUERIES
from tests.test_limits import has_limit

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LONG = "https://elsewhere.example/" + "x" * 1400
QUERIES = [{}, {"url": [LONG, LONG], "title": "Harbour"}, {"next": "/cart/", "q": "paper", "page": "2"}, *ODD_QUERIES]
# One look of one visitor at one thing a day is counted; that is all that anybody's looking may write.
COUNTED = NOT_WATCHED


def of_others() -> list[str]:
    """Return the addresses of the admin and of the login with Google that have no parts."""
    resolver = get_resolver()
    names = [
        f"{namespace}:{pattern.name}"
        for namespace, (_prefix, inner) in resolver.namespace_dict.items()
        if namespace in ("admin", "social")
        for pattern in plain(inner)
    ]
    return [reverse(name) for name in names]


def plain(resolver: URLResolver):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from plain(pattern)
        elif isinstance(pattern, URLPattern) and pattern.name and not pattern.pattern.regex.groups:
            yield pattern


class StrangerTests(OneOfEach, TransactionTestCase):
    def setUp(self):
        type(self).fill()
        self.written: list[str] = []

    def note(self, execute, sql, params, many, context):
        if set(effect_of(sql).writes) - COUNTED:
            self.written.append(sql)
        return execute(sql, params, many, context)

    def test_looking_writes_nothing(self):
        asked = [self.real(name, pattern) for name, pattern in addresses().items()] + of_others()
        assert len(asked) > 100
        with connection.execute_wrapper(self.note):
            for address in asked:
                for method in ("get", "head"):
                    for query in QUERIES:
                        visitor = Client(headers={"User-Agent": BROWSER})
                        visitor.raise_request_exception = False
                        getattr(visitor, method)(address, query)
                        assert not self.written, (method, address, query, self.written)
                        assert "sessionid" not in visitor.cookies, (method, address, query)

    def test_whatever_a_visitor_without_cookies_sends_begins_no_session_but_where_that_is_limited(self):
        forms = [{}, {"quantity": "1"}, dict.fromkeys(FIELDS, "1"), dict.fromkeys(FIELDS, "alice@example.com")]
        begin = set()
        for name, pattern in addresses().items():
            for form in forms:
                visitor = Client(headers={"User-Agent": BROWSER}, raise_request_exception=False)
                visitor.post(self.real(name, pattern), form)
                if Session.objects.exists():
                    begin.add(name)
                Session.objects.all().delete()
                assert name not in begin or has_limit(pattern.callback), name

        assert begin == {"cart:cart_add"}

    def test_carts_of_a_script_without_cookies_end_and_people_go_on_buying(self):
        add, form = reverse("cart:cart_add", args=[self.product.pk]), {"quantity": "1"}
        buyer = Client()
        assert buyer.post(add, form).status_code == 302
        for _ in range(598):
            hit("cart", "127.0.0.1", "600/h")

        assert [Client().post(add, form).status_code for _ in range(3)] == [302, 429, 429]
        assert Session.objects.count() == 2
        assert Client(headers={"Cookie": "sessionid=made-up"}).post(add, form).status_code == 429
        assert buyer.post(add, form).status_code == 302
        assert Client(REMOTE_ADDR="198.51.100.7").post(add, form).status_code == 302
