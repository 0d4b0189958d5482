import pytest
from django.test import Client, override_settings
from django.urls import path

from config.urls import handler403  # noqa: F401


def echo(request):
    from django.http import HttpResponse

    return HttpResponse(request.POST.get("words", ""))


urlpatterns = [path("echo/", echo)]
pytestmark = pytest.mark.urls(__name__)


def post(client: Client, **headers: str):
    return client.post("/echo/", {"words": "typed with care"}, headers=headers)


@pytest.fixture
def browser():
    return Client(enforce_csrf_checks=True)


def test_a_form_on_our_own_page_needs_no_token(browser):
    response = post(browser, **{"Sec-Fetch-Site": "same-origin"})

    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_a_form_on_another_site_is_refused(browser, site):
    assert post(browser, **{"Sec-Fetch-Site": site}).status_code == 403


def test_another_sites_origin_is_not_saved_by_a_valid_token(browser):
    browser.cookies["csrftoken"] = "a" * 32

    response = browser.post(
        "/echo/",
        {"csrfmiddlewaretoken": "a" * 32},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"},
    )

    assert response.status_code == 403


def test_origin_decides_where_fetch_metadata_is_missing(browser):
    assert post(browser, Origin="http://testserver").status_code == 200
    assert post(browser, Origin="http://evil.test").status_code == 403
    assert post(browser, Origin="null").status_code == 403
    assert post(browser, Origin="http://testserver.evil.test").status_code == 403


def test_the_same_host_by_another_scheme_or_port_is_another_origin(browser):
    assert post(browser, Origin="https://testserver").status_code == 403
    assert post(browser, Origin="ftp://testserver").status_code == 403
    assert post(browser, Origin="http://testserver:8080").status_code == 403
    assert (
        browser.post("/echo/", {"words": "x"}, secure=True, headers={"Origin": "http://testserver"}).status_code == 403
    )
    assert (
        browser.post("/echo/", {"words": "x"}, secure=True, headers={"Origin": "https://testserver"}).status_code == 200
    )


@override_settings(SITE_URL="https://shop.example")
def test_origin_may_be_the_public_address_in_front_of_a_proxy(browser):
    assert post(browser, Origin="https://shop.example").status_code == 200


def test_a_silent_browser_gets_its_form_back_with_a_token(browser):
    refused = post(browser)

    assert refused.status_code == 403
    assert "typed with care" in refused.content.decode()
    token = refused.context["csrf_token"]
    accepted = browser.post("/echo/", {"words": "typed with care", "csrfmiddlewaretoken": str(token)})
    assert accepted.content == b"typed with care"


def test_a_get_is_never_refused(browser):
    assert browser.get("/echo/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
