"""What holds for every address of the site, asked of every address in the URLconf: a new view is covered by being there."""

import re
from typing import Any

from django.core.cache import cache as django_cache
from django.test import Client, TestCase
from django.urls import get_resolver

from tests.addresses import OneOfEach, addresses

EXEMPT_FROM_CSRF = {"payment:webhook"}
# These send whoever is logged in elsewhere, so they look whether somebody is. Nobody else reads a session.
FOR_STRANGERS = {"login", "account:register"}

ODD_QUERIES = [
    {"page": "abc", "q": "'\" OR 1=1 -- AND * ^ NEAR(", "query": "%", "after": "x_y_z", "sort": "zz", "kind": "zz"},
    {
        "page": "-1",
        "q": "a" * 8000,
        "query": "\U0001f600" * 500,
        "after": "0_nan_1",
        "country": "ZZ",
        "in_stock": "maybe",
    },
    {"page": "9" * 5000, "q": "-", "query": '"', "after": "9_1e999_99999999999999999999", "session_id": "cs_\u202e"},
    {
        "page": "\u0663",
        "q": "\u200b\ufeff",
        "query": "a" * 100_000,
        "waited": "\u0663",
        "order": "../..",
        "next": "//evil.test",
    },
    {"page": "0", "q": "\0", "url": "javascript:alert(1)", "title": "<script>alert(1)</script>"},
]
ODD_VALUES = [
    "",
    " \u00a0",
    "a" * 20_000,
    "-1",
    "9223372036854775808",
    "1e309",
    "sNaN",
    "-Infinity",
    "1e999999",
    "9" * 5000,
    "\u0663\u0664",
    "<script>alert(1)</script>\u202e\U0001f468\u200d\U0001f469",
    "a@x.test\r\nBcc: b@y.test",
    "a\0b",
]
FIELDS = [
    "name",
    "email",
    "body",
    "note",
    "to",
    "quantity",
    "title",
    "url",
    "page",
    "code",
    "username",
    "password",
    "password1",
    "password2",
    "first_name",
    "last_name",
    "bio",
    "link",
    "date_of_birth",
    "description",
    "alt",
    "is_private",
    "decision",
    "confirmed",
    "key",
    "payment",
    "amount",
    "checkout_key",
    "seen_total",
    "address",
    "postal_code",
    "city",
    "country",
    "company",
    "vat_id",
    "terms",
    "order_number",
    "reason",
    "token",
    "token",
    "website",
    "old_password",
    "new_password1",
    "new_password2",
]
# Decided before the method is looked at: a member is sent on from the login page, a broken reset link is explained.
BEFORE_THE_METHOD = {("login", 302), ("password_reset_confirm", 200)}
ODD_IDS = [0, 2**31, 2**63, 10**30]
ODD_WORDS = ["x" * 300, "\u65e5\u672c\u8a9e", "..", "a%00b", "%F0%9F%92%A9", "<script>", "-", "1.5"]


class EveryAddressTests(OneOfEach, TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.fill()

    def setUp(self):
        django_cache.clear()

    def people(self) -> dict[str, Client]:
        clients = {"visitor": Client(), "member": Client(), "staff": Client()}
        clients["member"].force_login(self.alice)
        clients["staff"].force_login(self.staff)
        return clients

    def ask(self, client: Client, method: str, address: str, *args: Any, **kwargs: Any):
        """Ask as a browser on our own page would; a failure in the view comes back as its 500."""
        django_cache.clear()
        client.raise_request_exception = False
        answer = getattr(client, method)(address, *args, headers={"Sec-Fetch-Site": "same-origin"}, **kwargs)
        if answer.streaming:  # the file behind it is closed by whoever has read it
            b"".join(answer.streaming_content)
        return answer

    def test_odd_queries_are_answered_and_never_500(self):
        for who, client in self.people().items():
            for name, pattern in addresses().items():
                for query in ODD_QUERIES:
                    status = self.ask(client, "get", self.real(name, pattern), query).status_code
                    assert status < 500, (who, name, query, status)

    def test_odd_forms_are_answered_and_never_500(self):
        for who, client in self.people().items():
            for name, pattern in addresses().items():
                if name in ("logout", "account:edit"):
                    continue
                for value in ODD_VALUES:
                    status = self.ask(
                        client, "post", self.real(name, pattern), dict.fromkeys(FIELDS, value)
                    ).status_code
                    assert status < 500, (who, name, value[:30], status)
                    if status == 405:  # whatever stood in it: a page that takes no form reads none
                        break

    def test_json_and_broken_bodies_are_answered_and_never_500(self):
        bodies = [
            ("application/json", b"[" * 5000),
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=x", b"--x"),
        ]
        for name, pattern in addresses().items():
            for kind, body in [*bodies, ("application/x-www-form-urlencoded", b"%ff%fe=%00&a" * 2000)]:
                status = self.ask(Client(), "post", self.real(name, pattern), body, content_type=kind).status_code
                assert status < 500, (name, kind, status)

    def test_unknown_things_are_404_and_never_500(self):  # D20
        client = self.people()["staff"]
        for name, pattern in addresses().items():
            for odd_id, word in zip(ODD_IDS * 2, ODD_WORDS, strict=True):
                parts = pattern.pattern.converters
                if not parts:
                    continue
                values = [odd_id if "Int" in type(converter).__name__ else word for converter in parts.values()]
                address = "/" + self.shape(name, dict(zip(parts, values, strict=True)))
                status = self.ask(client, "get", address).status_code
                # Django explains a broken reset link on a page of its own, without saying whether the account exists.
                expected = (200, 302, 400) if name == "password_reset_confirm" else (301, 302, 400, 404, 405, 410)
                assert status in expected, (name, address[:90], status)

    def shape(self, name: str, values: dict[str, Any]) -> str:
        """Fill the pattern's text by hand: reverse() would refuse what a stranger may well send."""
        (possibility, *_), *_ = get_resolver().reverse_dict.getlist(name) or [(self.template(name),)]
        template, parts = possibility[0] if isinstance(possibility, list) else possibility
        return template % {part: str(values[part]).replace("/", "") for part in parts}

    def template(self, name: str):
        namespace, _, plain = name.partition(":")
        prefix, resolver = get_resolver().namespace_dict[namespace]
        text, parts = resolver.reverse_dict.getlist(plain)[-1][0][0]
        return (prefix + text, parts)

    def test_other_methods_are_405(self):
        client = self.people()["staff"]
        for name, pattern in addresses().items():
            for method in ("put", "patch", "delete", "trace"):
                status = self.ask(client, method, self.real(name, pattern)).status_code
                assert status in (404, 405) or (name, status) in BEFORE_THE_METHOD, (name, method, status)

    def test_a_form_on_another_site_can_do_nothing(self):
        for who, client in self.people().items():
            client.handler.enforce_csrf_checks = True
            for name, pattern in addresses().items():
                answer = client.post(self.real(name, pattern), {}, headers={"Sec-Fetch-Site": "cross-site"})
                if name not in EXEMPT_FROM_CSRF:
                    assert answer.status_code == 403, (who, name, answer.status_code)

    def test_no_page_starts_a_session_or_asks_for_one(self):
        public = 0
        for name, pattern in addresses().items():
            answer = Client().get(self.real(name, pattern))
            if answer.status_code == 200:
                public += 1
                assert not answer.cookies, (name, answer.cookies)
                assert not answer.wsgi_request.session.accessed or name in FOR_STRANGERS, name

        assert public > 30

    def test_pages_ask_nobody_else_and_hold_no_inline_code(self):  # D37
        for who, client in self.people().items():
            for name, pattern in addresses().items():
                answer = self.ask(client, "get", self.real(name, pattern))
                if answer.streaming or "text/html" not in answer.get("Content-Type", "") or not answer.content:
                    continue
                html = answer.content.decode()
                loaded = re.findall(
                    r'<(?:script|img|source|iframe|link(?=[^>]*stylesheet))[^>]*?(?:src|href)="([^"]*)"', html
                )
                assert all(re.match(r"/(?!/)|data:image/", address) for address in loaded), (who, name, loaded)
                assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*(?:src=|application/ld))", html), (
                    who,
                    name,
                )

    def test_every_answer_carries_the_headers_that_protect(self):
        for name, pattern in addresses().items():
            answer = self.ask(Client(), "get", self.real(name, pattern))
            policy = answer["Content-Security-Policy"]
            assert "default-src 'none'" in policy, name
            assert "unsafe" not in policy, name
            assert answer["X-Content-Type-Options"] == "nosniff", name
            assert answer["X-Frame-Options"] == "DENY", name
            assert answer["Referrer-Policy"] in ("same-origin", "no-referrer"), name
            kind = answer["Content-Type"] if answer.content else ""
            assert "charset=utf-8" in kind or not kind.startswith(("text/", "application/xml")), (name, kind)
