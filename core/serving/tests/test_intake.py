"""A slow, large or endless body costs its sender, and nobody else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from types import SimpleNamespace
from unittest import mock

import pytest
from django.test import TestCase

from account.tests.factories import make_user
from core.serving import intake, site
from core.serving.intake import FILE, IN_MEMORY, MEMBERS, STAFF, STRANGERS, Intake, Refused, limit_of


async def pieces(*chunks, pause=0.0):
    for chunk in chunks:
        await asyncio.sleep(pause)
        yield chunk


async def silence():
    await asyncio.Event().wait()
    yield b""


async def endless(sent):
    while True:
        sent.append(1)
        yield b"x" * 100_000


def take(chunks, *, announced="", limit=STRANGERS, at=None):
    """Return what is taken in of a body."""

    async def limited(environ):
        return limit

    async def taken():
        environ = {
            "REQUEST_METHOD": "POST",
            "REMOTE_ADDR": "10.0.0.1",
            "CONTENT_LENGTH": announced,
            "wsgi.input": BytesIO(),
        }
        with (at or Intake(limited)).holding(environ) as body:
            await body.take(environ, chunks)
            return body.file.read()

    return run(taken())


def run(coroutine):
    """Run it in a thread of its own: a browser that an earlier test has opened keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def refusal(*arguments, **options):
    with pytest.raises(Refused) as refused:
        take(*arguments, **options)
    return refused.value.status


def test_what_comes_in_pieces_is_put_together():
    assert take(pieces(b"a=", b"1", b""), announced="3") == b"a=1"


def test_a_body_that_never_comes_is_given_up():
    with mock.patch.object(intake, "STEP", 0.05):
        assert refusal(silence(), announced="10") == 408


def test_a_body_that_drips_is_given_up_however_evenly():
    with mock.patch.object(intake, "GRACE", 0.1):
        assert refusal(pieces(*[b"x"] * 1000, pause=0.02), announced="1000") == 408


def test_a_body_that_is_announced_as_too_large_is_not_read():
    sent = []

    assert refusal(endless(sent), announced=str(STRANGERS + 1)) == 413
    assert sent == []


def test_a_body_without_an_announced_length_is_read_up_to_the_limit():
    sent = []

    assert refusal(endless(sent)) == 413
    assert len(sent) * 100_000 <= STRANGERS + 100_000


def test_a_members_file_may_be_larger():
    assert len(take(pieces(*[b"x" * 500_000] * 5), announced="2500000", limit=FILE)) == 2_500_000
    assert len(take(pieces(*[b"x" * 500_000] * 5), limit=FILE)) == 2_500_000


def test_a_body_that_breaks_off_is_no_body():
    assert refusal(pieces(b"a=1&pric"), announced="12") == 400


def test_what_strangers_send_never_comes_to_lie_on_disk():
    assert STRANGERS <= IN_MEMORY


def test_one_address_can_fill_neither_memory_nor_disk():
    async def limited(environ):
        return 200

    at = Intake(limited)
    at.count("10.0.0.1", 200, 200)  # somebody works on it
    with mock.patch.multiple(intake, FROM_ONE_ADDRESS=250, STRANGERS=200):
        assert refusal(pieces(b"x" * 100), announced="100", at=at) == 429


def test_what_was_worked_off_counts_no_longer():
    async def limited(environ):
        return 200

    at = Intake(limited)
    with mock.patch.multiple(intake, FROM_ONE_ADDRESS=250, STRANGERS=200):
        for _again in range(3):
            assert take(pieces(b"x" * 200), announced="200", at=at)


class WhoMaySendHowMuch(TestCase):
    def limit(self, path, user=None, **headers):
        if user:
            self.client.force_login(user)
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in self.client.cookies.items())
        return limit_of({"REQUEST_METHOD": "POST", "PATH_INFO": path, "HTTP_COOKIE": cookies, **headers})

    def test_a_stranger_may_send_no_file_anywhere(self):
        for path in ("/images/create/", "/account/edit/", "/admin/shop/product/add/", "/nowhere"):
            assert self.limit(path) == STRANGERS

    def test_a_made_up_session_is_a_strangers(self):
        self.client.cookies["sessionid"] = "x" * 32

        assert self.limit("/images/create/") == STRANGERS

    def test_a_member_may_send_a_file_to_the_forms_that_take_one(self):
        user = make_user("alice")

        assert self.limit("/images/create/", user) == FILE
        assert self.limit("/account/edit/", user) == FILE
        assert self.limit("/cart/", user) == MEMBERS
        assert self.limit("/admin/shop/product/add/", user) == MEMBERS
        assert self.limit("/nowhere", user) == MEMBERS

    def test_staff_may_send_what_is_sold(self):
        assert self.limit("/admin/shop/product/add/", make_user("staff", staff=True)) == STAFF


class Refusals(TestCase):
    def test_each_has_words_of_its_own_and_ends_the_connection(self):
        for status, words in (
            (400, "cannot be understood"),
            (408, "too long to arrive"),
            (413, "more than may be sent"),
        ):
            response = self.client.post("/images/create/", **{"atelier.refused": status})

            self.assertContains(response, words, status_code=status)
            assert response["Connection"] == "close"
            assert "default-src" in response["Content-Security-Policy"]

    def test_a_program_is_told_in_json(self):
        response = self.client.post(
            "/images/create/", headers={"accept": "application/json"}, **{"atelier.refused": 413}
        )

        assert response.json()["status"] == 413


# --- What the web server is given ----------------------------------------------------------------------------------


def scope(**changes):
    headers = SimpleNamespace(items=lambda: changes.pop("headers", []))
    usual = {"method": "GET", "path": "/", "query_string": "", "http_version": "1.1", "scheme": "http"}
    return SimpleNamespace(server="127.0.0.1:8000", client="[::1]:999", **{**usual, **changes}, headers=headers)


def environ(*headers, **changes):
    made = scope(**changes)
    made.headers = SimpleNamespace(items=lambda: headers)
    return site.environ_of(made)


def test_an_underscore_does_not_pass_for_a_header_of_our_proxy():
    made = environ(("x_forwarded_for", "1.2.3.4"), ("x-forwarded-proto", "https"))

    assert "HTTP_X_FORWARDED_FOR" not in made
    assert made["HTTP_X_FORWARDED_PROTO"] == "https"


def test_cookies_that_come_in_two_lines_are_all_read():
    assert environ(("cookie", "a=1"), ("cookie", "b=2"))["HTTP_COOKIE"] == "a=1; b=2"


def test_the_visitors_address_has_neither_port_nor_brackets():
    assert environ()["REMOTE_ADDR"] == "::1"


class Protocol:
    """What granian hands over, written down."""

    def __init__(self, *chunks):
        self.chunks = chunks
        self.answers = []

    def __aiter__(self):
        return pieces(*self.chunks)

    def response_bytes(self, status, headers, body):
        self.answers.append((status, body))

    def response_file(self, status, headers, path):
        self.answers.append((status, path))

    def response_stream(self, status, headers):
        self.answers.append((status, b""))
        return self

    async def send_bytes(self, data):
        status, body = self.answers.pop()
        self.answers.append((status, body + data))


def ask(application, *chunks, headers=(), **changes):
    application.find = lambda environ: None
    protocol = Protocol(*chunks)
    asked = scope(**changes)
    asked.headers = SimpleNamespace(items=lambda: headers)
    run(site.Site(application, threads=1).__rsgi__(asked, protocol))
    return protocol.answers[0]


def test_a_form_arrives_whole_with_its_length():
    def application(environ, start_response):
        start_response("200 OK", [])
        return [environ["CONTENT_LENGTH"].encode(), environ["wsgi.input"].read()]

    assert ask(application, b"a=", b"1", headers=[("transfer-encoding", "chunked")], method="POST") == (200, b"3a=1")


def test_a_file_on_disk_is_left_to_the_web_server(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    opened = (tmp_path / "a.txt").open("rb")

    def application(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](opened, 10)

    assert ask(application) == (200, str(tmp_path / "a.txt"))
    assert opened.closed


def test_a_list_that_is_made_bit_by_bit_is_sent_so():
    class Rows:
        streaming = True
        closed = False

        def __iter__(self):
            yield from (b"a", b"b")

        def close(self):
            self.closed = True

    rows = Rows()

    def application(environ, start_response):
        start_response("200 OK", [])
        return rows

    assert ask(application) == (200, b"ab")
    assert rows.closed
