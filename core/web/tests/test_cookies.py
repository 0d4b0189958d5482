"""Cookies of our own, as browsers are to guard them."""

import pytest
from django.test import TestCase
from django.urls import reverse

from account.tests.factories import PASSWORD, make_user
from blog.tests.factories import make_post
from blog.tests.test_comments import form_data
from tests.processes import told

NAMES = "settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, MESSAGES, PINNED_COOKIE, devices.COOKIE, commenting.COOKIE, FOUND"
IMPORTS = ["import django; django.setup()"] + [
    f"from {module} import {name}"
    for module, name in {
        "account": "devices",
        "blog": "commenting",
        "core.web.cookies": "MESSAGES",
        "core.caching.pages": "PINNED_COOKIE",
        "images.views": "FOUND",
    }.items()
]


@pytest.mark.django_db
def test_with_https_browsers_guard_every_name():
    names = told(f"*({NAMES})", *IMPORTS, SITE_URL="https://example.com").split()

    assert names == [
        *("__Host-sessionid", "__Host-csrftoken", "__Host-messages", "__Host-pinned"),
        *("__Secure-known_device", "__Host-commenter", "__Secure-bookmarklet"),
    ]


class EveryCookieTests(TestCase):
    def test_each_is_out_of_reach_of_scripts_and_other_sites(self):
        make_user("alice")
        self.client.post(reverse("login"), {"username": "alice", "password": PASSWORD})
        self.client.post(reverse("logout"))
        self.client.post(reverse("blog:post_comment", args=[make_post().pk]), form_data())
        found = [f"https://example.com/{number}.jpg" for number in range(100)]
        self.client.get(reverse("images:image_create"), {"url": found})

        cookies = {cookie.key: cookie for cookie in self.client.cookies.values() if cookie.value}

        assert {"known_device", "messages", "commenter", "bookmarklet"} <= cookies.keys()
        assert [
            name for name, cookie in cookies.items() if not (cookie["httponly"] and cookie["samesite"] == "Lax")
        ] == []
