import json
import logging
from io import BytesIO
from unittest.mock import patch
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.test import Client, override_settings
from django.urls import include, path
from django.views.decorators.http import require_POST

from config import views
from core.serving.charsets import only_utf8
from core.web.logs import JsonFormatter
from core.web.ratelimit import too_many


def broken(request):
    raise RuntimeError("the inner workings")


def database_away(request):
    raise OperationalError("connection refused")


def echo(request):
    return HttpResponse("fine")


@require_POST
def form(request):
    return HttpResponse(request.POST.get("name", ""))


def forbidden(request):
    raise PermissionDenied


def refused_form(request):
    return render(request, "404.html", status=422)


def too_often(request):
    return too_many(request, 60)


urlpatterns = [
    *[path("form/", form), path("broken/", broken), path("away/", database_away), path("echo/", echo)],
    *[path("forbidden/", forbidden), path("422/", refused_form), path("429/", too_often)],
    path("", include("config.urls")),
]
handler400 = "core.web.errors.bad_request"
handler403 = "core.web.errors.permission_denied"
handler404 = "core.web.errors.page_not_found"
handler500 = "core.web.errors.server_error"
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("address", ["/echo/\0", "/echo/?q=a%00b", "/echo/?a%00b=1"])
def test_nul_in_an_address_is_400(visitor, address):
    assert visitor.get(address.replace("\0", "%00")).status_code == 400


def test_nul_in_a_form_is_400(visitor):
    body = "name=a%00b"
    response = visitor.post("/echo/", body, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 400


def test_an_error_page_tells_the_request_id_and_not_the_cause(visitor):
    response = visitor.get("/broken/", headers={"X-Request-ID": "support-case-7"})

    assert response.status_code == 500
    assert "support-case-7" in response.content.decode()
    assert "inner workings" not in response.content.decode()


def test_a_database_that_is_away_is_503_with_retry_after(visitor):
    response = visitor.get("/away/")

    assert response.status_code == 503
    assert response["Retry-After"] == "5"


@pytest.mark.parametrize(("address", "status"), [("/nowhere/", 404), ("/broken/", 500), ("/away/", 503)])
def test_a_client_that_asks_for_json_gets_json(visitor, address, status):
    response = visitor.get(address, headers={"Accept": "application/json", "X-Request-ID": "r1"})

    assert response.status_code == status
    assert response.json()["status"] == status
    assert response.json()["request_id"] == "r1"


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    ("address", "status"),
    [
        *[("/nowhere/", 404), ("/forbidden/", 403), ("/form/", 405), ("/422/", 422), ("/429/", 429)],
        *[("/broken/", 500), ("/away/", 503), ("/echo/?a%00", 400)],
    ],
)
def test_a_program_is_refused_in_json_with_debug_and_without(visitor, address, status, debug):
    with override_settings(DEBUG=debug):
        response = visitor.get(address, headers={"Accept": "application/json", "X-Request-ID": "r1"})
        page = visitor.get(address, headers={"Accept": "text/html"})

    assert response.status_code == page.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json().keys() == {"error", "status", "request_id"}
    assert (response.json()["status"], response.json()["request_id"]) == (status, "r1")
    assert int(response.get("Content-Length", len(response.content))) == len(response.content)
    assert response.get("Retry-After") == page.get("Retry-After")
    assert page["Content-Type"].startswith("text/html")


def test_a_program_of_another_site_is_refused_in_json(visitor):
    response = visitor.post("/echo/", headers={"Accept": "application/json", "Sec-Fetch-Site": "cross-site"})

    assert (response.status_code, response["Content-Type"]) == (403, "application/json")


def test_a_request_id_that_could_break_a_log_line_is_replaced(visitor):
    response = visitor.get("/echo/", headers={"X-Request-ID": "a b\u2028"})

    assert response["X-Request-ID"].isalnum()


def test_a_json_log_line_stays_one_line():
    record = logging.LogRecord("shop", logging.INFO, "", 0, "sold %s", ("a\nlevel: forged",), None)

    line = JsonFormatter().format(record)

    assert "\n" not in line
    assert json.loads(line)["message"] == "sold a\nlevel: forged"


@pytest.mark.urls("config.urls")
@pytest.mark.django_db
def test_readiness_names_what_is_away(visitor):
    assert visitor.get("/readyz").json()["database"] == "ok"

    with patch("config.views._ask_database", side_effect=OperationalError("gone")):
        response = visitor.get("/readyz")

    assert response.status_code == 503
    assert response.json()["database"] == "away"


@pytest.mark.urls("config.urls")
@override_settings(CELERY_BROKER_URL="amqp://127.0.0.1:1//")
@pytest.mark.django_db
def test_a_broker_that_is_away_is_told_but_does_not_make_the_site_unready(visitor):
    response = visitor.get("/readyz")

    assert response.status_code == 200
    assert response.json()["broker"] == "away"


@pytest.mark.urls("config.urls")
@pytest.mark.django_db
def test_those_who_ask_at_once_wait_for_no_broker_but_hear_what_was_found_last(visitor):
    """Four who asked at once held all threads of a process for as long as a broker that hangs lets one wait."""
    assert visitor.get("/readyz").json()["database"] == "ok"

    with patch("config.views._ask_all", side_effect=AssertionError("asked")), views._asking:
        response = visitor.get("/readyz")

    assert response.status_code == 200
    assert response.json()["database"] == "ok"


PART = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nb\r\n--x--\r\n'
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", PART),
        ("multipart/form-data; boundary=", PART),
        (f"multipart/form-data; boundary={'x' * 300}", PART),
        (FORM, b"&".join(b"a%d=1" % number for number in range(2000))),
    ],
)
@pytest.mark.parametrize("debug", [True, False])
def test_a_form_that_cannot_be_read_is_400_with_words(visitor, kind, body, debug):
    with override_settings(DEBUG=debug):
        response = visitor.generic("POST", "/form/?q=1", body, kind)

    assert response.status_code == 400
    assert response.content


def test_a_form_in_plain_utf_8_is_read(visitor):
    for kind in (FORM, f"{FORM}; charset=utf-8", f"{FORM}; charset=nonsense"):
        assert visitor.generic("POST", "/form/", "name=ä".encode(), kind).content.decode() == "ä"


def test_too_large_a_form_is_413(visitor):
    response = visitor.generic("POST", "/form/", b"name=" + b"x" * 3_000_000, FORM)

    assert response.status_code == 413
    assert "more than may be sent" in response.content.decode()


def test_a_method_that_is_not_allowed_is_explained(visitor):
    response = visitor.get("/form/")

    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert "This address is for something else" in response.content.decode()


def test_a_program_reads_in_json_which_method_is_not_allowed(visitor):
    response = visitor.get("/form/", headers={"accept": "application/json"})

    assert response.json()["error"] == "This address does not take GET."
    assert response["Allow"] == "POST"


@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x", "text/plain", "application/json"])
@pytest.mark.parametrize("charset", ["utf-16", "hex", '"zip"', "ZIP", "utf-7", "idna", "latin-1"])
@pytest.mark.django_db
def test_what_is_written_in_another_charset_is_400_at_the_door(kind, charset):
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/form/", "QUERY_STRING": "a=1", "HTTP_HOST": "localhost"}
    setup_testing_defaults(environ)
    body = b"name=b" if kind == FORM else PART
    environ |= {"CONTENT_TYPE": f"{kind}; charset={charset}", "CONTENT_LENGTH": str(len(body))}
    environ["wsgi.input"] = BytesIO(body)
    statuses = []

    page = b"".join(only_utf8(get_wsgi_application())(environ, lambda status, headers: statuses.append(status)))

    assert statuses == ["400 Bad Request"]
    assert b"cannot be understood" in page
