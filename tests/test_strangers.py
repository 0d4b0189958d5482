"""A stranger who only looks leaves nothing behind: no row, no session, whatever the address."""

from django.db import connection
from django.test import Client, TransactionTestCase
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from config.statements import NOT_WATCHED, effect_of
from tests.addresses import OneOfEach, addresses
from tests.test_every_address import ODD_QUERIES

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
