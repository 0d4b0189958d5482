"""What browsers and proxies are told beside the page."""

import pytest
from django.test import TestCase

from account.tests.factories import make_user
from tests.processes import told


class HeadersTests(TestCase):
    def test_no_proxy_may_keep_a_page_of_a_member(self):
        self.client.force_login(make_user("alice"))

        for address in ("/", "/blog/", "/account/", "/no/such/page"):
            assert "private" in self.client.get(address)["Cache-Control"], address

    def test_a_visitor_s_page_may_be_kept_and_asked_again(self):
        assert "private" not in self.client.get("/blog/").get("Cache-Control", "")

    def test_pages_use_no_camera_and_are_nobody_else_s_resource(self):
        page = self.client.get("/")

        assert "camera=()" in page["Permissions-Policy"]
        assert page["Cross-Origin-Resource-Policy"] == "same-origin"

    def test_pages_load_what_is_ours_and_nothing_else(self):
        policy = dict(part.partition(" ")[::2] for part in self.client.get("/")["Content-Security-Policy"].split("; "))

        assert policy.pop("form-action").startswith("'self' https://checkout.stripe.com")
        assert policy.pop("img-src") == "'self' data:"
        assert {policy.pop(name) for name in ("script-src", "style-src", "font-src", "connect-src")} == {"'self'"}
        assert set(policy) == {"default-src", "frame-ancestors", "base-uri", "object-src"}
        assert set(policy.values()) == {"'none'"}

    def test_logging_out_empties_the_browser_s_cache(self):
        self.client.force_login(make_user("alice"))

        assert '"cache"' in self.client.post("/account/logout/")["Clear-Site-Data"]


@pytest.mark.django_db
def test_https_promises_nothing_about_other_hosts_of_the_domain_unless_told():
    expression = "settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD"

    said = told(expression, SITE_URL="https://example.com")
    changed = told(expression, SITE_URL="https://example.com", HSTS_INCLUDE_SUBDOMAINS="true", HSTS_DAYS="730")

    assert said == "31536000 False False"
    assert changed == "63072000 True False"
