"""Only a page made for a stranger is kept, however odd the request that asked for it."""

from unittest.mock import patch

from django.conf import settings
from django.http import HttpResponse
from django.test import Client, TestCase, override_settings
from django.urls import path

from account.tests.factories import make_user
from core.caching import pages
from core.caching.pages import for_everyone
from core.caching.tests.test_pages import Site, the_tests_own_connection  # noqa: F401 - used by every test here
from images.tests.factories import make_image

# What stands before the session's cookie in browsers that other programs, consent banners or proxies have written to.
ODD = [
    'consent={"ads":false}', "foo", "a b", "foo[bar]=1", "=x", ";", 'a="', "a=b=c", "a\x00b=1", "\xff\xfe=\xe9",
    "a=" + "x" * 20_000, "sessionidx=1", "a,b=1", "$Version=1", "expires=Thu, 01 Jan 1970", "path=/",
]  # fmt: skip
LOG_OUT = b">Log out<"
SPACES = ["\u00a0", "\u2003", "\u3000", "\x1f", "\t"]  # Django strips all of them around a name


def on_the_wire(cookies: str) -> str:
    """Return the text as WSGI hands a header over."""
    return cookies.encode().decode("latin-1")


class OddCookieTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")
        cls.private = make_image(owner=cls.alice, is_private=True)

    def setUp(self):
        self.site = Site()
        client = Client()
        client.force_login(self.alice)
        self.session = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"

    def check(self, cookies):
        hers, stranger = self.site.get("/", HTTP_COOKIE=cookies), self.site.get("/")
        assert LOG_OUT in hers["body"], cookies[:60]
        assert LOG_OUT not in stranger["body"], cookies[:60]
        assert "etag" in stranger["headers"]  # as kept pages have one
        assert "etag" not in hers["headers"], cookies[:60]

    def test_a_members_page_is_never_handed_to_a_stranger(self):
        for odd in ODD:
            self.site = Site()
            for cookies in (f"{odd}; {self.session}", f"{self.session}; {odd}", f"{odd};{self.session};{odd}"):
                self.check(on_the_wire(cookies))

    def test_spaces_around_a_name_are_those_that_django_strips(self):
        for space in SPACES:
            self.check(on_the_wire(f"a=1;{space}{self.session.replace('=', space + '=')}"))

    def test_a_private_picture_stays_with_its_owner(self):
        address = self.private.get_absolute_url()
        for odd in ODD:
            assert self.site.get(address, HTTP_COOKIE=on_the_wire(f"{odd}; {self.session}"))["status"] == 200, odd[:60]
            assert self.site.get(address)["status"] == 404, odd[:60]

    def test_an_odd_cookie_of_another_program_costs_nobody_the_kept_page(self):
        for odd in ODD:
            self.site.get("/", HTTP_COOKIE=on_the_wire(odd))

        with self.assertNumQueries(0):
            for odd in ODD:
                assert self.site.get("/", HTTP_COOKIE=on_the_wire(odd))["status"] == 200

    def test_django_is_asked_again_when_the_door_did_not_see_the_cookie(self):
        """The second lock holds by itself: what was made for somebody with a session is not kept."""
        with patch.object(pages, "knows_us", return_value=False):
            self.check(self.session)


def answering(change=None, **headers):
    @for_everyone()
    def view(request):
        if change:
            change(request)
        return HttpResponse("hello", headers=headers)

    return view


def log_in(request):
    request.session["greeted"] = True


ANSWERS = {
    "plain": answering(),
    "known-vary": answering(Vary="HX-Request, cookie"),
    "session-written": answering(log_in),
    "session-read": answering(lambda request: request.session.get("greeted")),
    "user-asked": answering(lambda request: request.user.is_authenticated),
    "private": answering(**{"Cache-Control": "Private"}),
    "no-store": answering(**{"Cache-Control": "no-cache, NO-STORE"}),
    "one-field-private": answering(**{"Cache-Control": 'private="x"'}),
    "other-vary": answering(Vary="Cookie, User-Agent"),
    "any-vary": answering(Vary="*"),
    "nonce": answering(**{"Content-Security-Policy": "script-src 'nonce-abc'"}),
    "raw-cookie": answering(**{"Set-Cookie": "a=1"}),
}
for_a_minute = answering(**{"Cache-Control": "max-age=60"})
urlpatterns = [path("minute/", for_a_minute), *(path(f"{name}/", view) for name, view in ANSWERS.items())]


@override_settings(ROOT_URLCONF=__name__)
class AnswerTests(TestCase):
    def test_only_what_was_made_for_anybody_is_kept(self):
        site = Site()
        for name in ANSWERS:
            site.get(f"/{name}/")

        assert {key[5] for key in site.kept()} == {"/plain/", "/known-vary/"}

    def test_a_browser_asks_each_time_unless_the_view_says_for_how_long(self):
        site = Site()

        assert site.get("/plain/")["headers"]["cache-control"] == "no-cache"
        assert site.get("/minute/")["headers"]["cache-control"] == "max-age=60"

    def test_a_browser_gets_it_packed_only_if_it_says_so(self):
        site = Site()
        said = {"gzip": True, "br, GZIP;q=0.5": True, "gzip;q=0": False, "gzip; q=0.000, br": False, "x-gzipper": False}
        for header, is_packed in said.items():
            answer = site.get("/plain/", HTTP_ACCEPT_ENCODING=header)
            assert ("content-encoding" in answer["headers"]) == is_packed, header

    def test_a_page_is_unchanged_for_whoever_names_it(self):
        site = Site()
        etag = site.get("/plain/")["headers"]["etag"]
        named = {etag: 304, f"W/{etag}": 304, f'"other", {etag}': 304, "*": 304, etag[1:-1]: 200, f'"x{etag[1:]}': 200}

        assert {header: site.get("/plain/", HTTP_IF_NONE_MATCH=header)["status"] for header in named} == named
