import json
import logging
import threading
import time
from decimal import Decimal
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import TransactionTestCase, override_settings
from django.urls import path
from django.utils import timezone

from account.tests.factories import make_user
from core.caching.pages import for_everyone
from core.caching.tests.test_pages import Site
from core.jobs import background, sweeps
from core.web.logs import JsonFormatter, RequestIdFilter, TextFormatter, belonging_to, current_request_id, discreet

logger = logging.getLogger("shop")


def opened(request, token):
    logger.warning("opened")
    return HttpResponse("your order")


def broken(request, token):
    raise RuntimeError("no such table for bob@example.com")


@for_everyone()
def catalogue(request):
    return HttpResponse("catalogue")


urlpatterns = [
    path("orders/<str:token>/", opened, name="opened"),
    path("broken/<str:token>/", broken, name="broken"),
    path("catalogue/", catalogue, name="catalogue"),
]


class Lines(logging.Handler):
    """Collects what the site's own handler would write."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(RequestIdFilter())
        self.setFormatter(JsonFormatter())
        self.lines: list[dict] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines():
    handler, requests = Lines(), logging.getLogger("config.requests")
    level = requests.level
    requests.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    yield handler.lines
    logging.getLogger().removeHandler(handler)
    requests.setLevel(level)


@pytest.mark.urls(__name__)
def test_each_request_is_a_line_without_its_secrets(client, lines):
    client.get("/orders/s3cret/?email=bob@example.com", headers={"X-Request-ID": "r1"})

    event, request = lines
    assert (event["message"], event["request_id"]) == ("opened", "r1")
    assert request["request_id"] == "r1"
    assert request["message"] == "GET /orders/<str:token>/ 200"
    assert (request["view"], request["method"], request["status"]) == ("opened", "GET", 200)
    assert request["seconds"] >= 0
    assert "s3cret" not in str(lines)
    assert "bob" not in str(lines)


@pytest.mark.urls(__name__)
def test_djangos_line_about_an_error_belongs_to_the_request_and_hides_the_path(client, lines):
    client.raise_request_exception = False
    client.get("/broken/s3cret/", headers={"X-Request-ID": "r2"})

    line = next(line for line in lines if line["logger"] == "django.request")
    assert line["request_id"] == "r2"
    assert line["message"] == "Internal Server Error: /broken/<str:token>/"
    assert "RuntimeError: no such table for …@example.com" in line["exception"]
    assert "s3cret" not in str(lines)


@pytest.mark.urls(__name__)
def test_address_that_leads_nowhere_is_told_as_it_is(client, lines):
    client.get("/no/such/page/")

    assert any(line["message"] == "Not Found: /no/such/page/" for line in lines)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("550 no mailbox <bob.b+x@mail.example.com>", "550 no mailbox <…@mail.example.com>"),
        ("Key (email)=(bob@example.com) exists", "Key (email)=(…@example.com) exists"),
        ("cannot reach postgres://site:hidden@db.example:5432/x", "cannot reach postgres://…@db.example:5432/x"),
        ("amqp://site:hidden@broker//", "amqp://…@broker//"),
        ("celery@host1 ready, at 10:00@night", "celery@host1 ready, at 10:00@night"),
    ],
)
def test_people_and_passwords_are_taken_out(text, told):
    assert discreet(text) == told
    record = logging.LogRecord("mail", logging.ERROR, "", 0, "%s", (text,), None)
    assert TextFormatter().format(record) == told
    assert json.loads(JsonFormatter().format(record))["message"] == told


def test_a_path_as_long_as_a_server_takes_is_read_at_once():
    """Tried from each of its letters it took eight seconds, in which no other thread of the process did anything."""
    began = time.process_time()
    for text in ("a" * 60_000, "@" + "a" * 60_000, "a@" * 30_000):
        assert discreet(text) == text

    assert time.process_time() - began < 2


def told(*args, **values) -> dict:
    """What the site's formatter makes of a record with these values hung on it."""
    record = logging.LogRecord("shop", logging.INFO, "", 0, *args, None)
    record.__dict__ |= values
    line = JsonFormatter().format(record)
    assert "\n" not in line
    return json.loads(line)


def test_a_line_has_these_fields_in_this_order():
    line = told("sold %s", ("ink",), created=1_800_000_000.25, request_id="r1", fields={"status": 200})

    assert list(line.items()) == [
        ("at", "2027-01-15T08:00:00.250000+00:00"),
        ("level", "INFO"),
        ("logger", "shop"),
        ("request_id", "r1"),
        ("message", "sold ink"),
        ("status", 200),
    ]


def test_what_others_hang_on_a_record_is_not_told():
    line = told("odd", (), request="GET /orders/s3cret/", status_code=500, payload={"email": "bob@example.com"})

    assert line.keys() == {"at", "level", "logger", "request_id", "message"}


def test_an_exception_is_part_of_the_line_without_addresses():
    try:
        raise ValueError("no mailbox\nbob@example.com")
    except ValueError as error:
        line = told("odd", (), exc_info=(type(error), error, error.__traceback__))

    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: no mailbox\n…@example.com")


@pytest.mark.parametrize(
    "value", [Decimal("1.5"), UUID(int=1), {1, 2}, b"x", ValueError("x"), object(), timezone.now()]
)
def test_no_value_costs_the_line(value):
    line = told("paid %s", ("bob@example.com",), fields={"value": value, "to": "bob@example.com"})

    assert (line["message"], line["to"]) == ("paid …@example.com", "…@example.com")
    assert "value" in line


def test_a_message_that_is_no_text_is_written_as_text():
    assert told({"sold": 3}, ())["message"] == "{'sold': 3}"


def test_what_a_thread_does_for_a_request_belongs_to_it():
    seen, done = [], threading.Event()

    def act() -> None:
        seen.append(current_request_id.get())
        done.set()

    act.name = "task"
    with belonging_to("r3"):
        background.Threads().put(act, ())

    assert done.wait(200)
    assert seen == ["r3"]


@pytest.mark.django_db(transaction=True)
def test_what_a_sweep_logs_names_the_sweep(lines):
    sweeps.run([f"{__name__}.complain"])

    assert [line["request_id"] for line in lines] == [f"{__name__}.complain"]


def complain() -> None:
    logger.warning("something is odd")


@override_settings(ROOT_URLCONF=__name__)
class KeptPageTests(TransactionTestCase):
    def test_kept_page_carries_the_proxys_id_if_it_is_sane(self):
        site = Site()
        site.get()

        assert site.get(HTTP_X_REQUEST_ID="from-the-proxy")["headers"]["x-request-id"] == "from-the-proxy"
        assert site.get(HTTP_X_REQUEST_ID="a b\r\n")["headers"]["x-request-id"].isalnum()


@pytest.mark.django_db
def test_a_refusal_is_one_line_without_a_traceback(client, lines):
    client.force_login(make_user("alice"))

    assert client.get("/admin/login/").status_code == 403

    assert not any("Traceback" in str(line) or "PermissionDenied" in str(line) for line in lines)
