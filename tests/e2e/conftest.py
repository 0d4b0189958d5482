"""The site as `make run` starts it, with the local Stripe beside it, and a browser in front."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from content.tests.picture_files import picture_bytes
from core.tests.sink import Sink, http_answer
from core.tests.waiting import wait_until
from mail.models import OutgoingMail
from tests import processes
from tools.services import chromium

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
# Without "Headless", which the site takes for a robot and does not count.
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
UNSENT = (OutgoingMail.Status.QUEUED, OutgoingMail.Status.SENDING)
PATIENCE = 120_000  # milliseconds: a page is waited for as long as a busy machine may need
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def picture_url() -> Iterator[str]:
    """Serve a picture from this machine, as if from the web, to every process that is started afterwards."""
    server = Sink()
    server.answers["/kiln.jpg"] = http_answer(picture_bytes("JPEG", (800, 600)), Content_Type="image/jpeg")
    with closing(server), pytest.MonkeyPatch.context() as patch:
        patch.setenv("FETCH_TEST_ORIGINS", f"127.0.0.1:{server.port}")
        yield f"http://127.0.0.1:{server.port}/kiln.jpg"


@pytest.fixture(scope="session")
def embedded_site(django_db_setup: None, picture_url: str) -> Iterator[SimpleNamespace]:
    """Run web server and local Stripe on the test's database, once for all tests."""
    with processes.site(CELERY_BROKER_URL="") as addresses:
        yield addresses


@pytest.fixture
def site(transactional_db: None, picture_url: str, request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    """Return the running site; a test that asks for `broker` gets one of its own, with a worker."""
    if not settings.CELERY_BROKER_URL:
        processes.forget_mails()
        yield request.getfixturevalue("embedded_site")
        # What the site still does for this test must not reach into the next.
        wait_until(
            lambda: not OutgoingMail.objects.filter(status__in=UNSENT, available_at__lte=timezone.now()).exists()
        )
        return
    with processes.site() as addresses, processes.worker(**addresses.settings):
        yield addresses


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, and Django would refuse the test its database because of it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium(), args=FLAGS.split())
        yield instance
        instance.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser: Browser, site: SimpleNamespace, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open a window on the site; fails the test for whatever the browser complained about."""
    yield from window(browser, site, request, with_scripts=True)


@pytest.fixture
def plain_page(browser: Browser, site: SimpleNamespace, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open a window of a browser that runs no JavaScript."""
    yield from window(browser, site, request, with_scripts=False)


def window(
    browser: Browser, site: SimpleNamespace, request: pytest.FixtureRequest, *, with_scripts: bool
) -> Iterator[Page]:
    context = browser.new_context(
        base_url=site.url, java_script_enabled=with_scripts, reduced_motion="reduce", user_agent=USER_AGENT
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{page.url}: {message.text} {message.location}") if is_error(message) else None
        ),
    )
    page.on(
        "response", lambda answer: complaints.append(f"{answer.status} {answer.url}") if is_ours(answer, site) else 0
    )
    yield page
    page.screenshot(path=artifact(request, "end"), full_page=True)
    context.close()
    assert complaints == []


def is_error(message) -> bool:
    # The browser logs every 4xx as an error; those are answers (a form shown again), not faults.
    return message.type == "error" and "Failed to load resource" not in message.text


def is_ours(answer, site: SimpleNamespace) -> bool:
    return answer.status >= 500 and answer.url.startswith(site.url)


def artifact(request: pytest.FixtureRequest, name: str) -> Path:
    processes.ARTIFACTS.mkdir(parents=True, exist_ok=True)
    return processes.ARTIFACTS / f"{request.node.name}-{name}.png"


@pytest.fixture
def shot(page: Page, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a picture of the page: `shot("cart")`. They are numbered in the order taken."""
    return camera(page, request)


@pytest.fixture
def plain_shot(plain_page: Page, request: pytest.FixtureRequest) -> Callable[[str], None]:
    return camera(plain_page, request)


def camera(page: Page, request: pytest.FixtureRequest) -> Callable[[str], None]:
    numbers = count(1)

    def take(name: str) -> None:
        # Hiding the caret would leave a style attribute behind, which htmx copies and the policy then refuses.
        page.screenshot(path=artifact(request, f"{next(numbers):02}-{name}"), full_page=True, caret="initial")

    return take
