"""Two running sites for the journeys, embedded and with services, and somebody of the staff who works there."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from django.conf import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from account.tests.google_server import GoogleServer
from core.tests.sink import Sink

from .letters import post_office
from .person import Person
from .site import GOOGLE_CLIENT, Site, own_services
from .staff import Staff

NUMBER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
HAS_SERVICES = bool(settings.REDIS_URL and os.environ.get("CELERY_BROKER_URL"))
NEEDS_SERVICES = pytest.mark.skipif(not HAS_SERVICES, reason="needs PostgreSQL, Redis, RabbitMQ: make test-door")


class OneProcessForEachSite(LoadScopeScheduling):
    """Gives a process all tests of one site, so that each is started once; pytest 9.2 loses pytest-xdist's groups."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.rpartition("[")[2]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return OneProcessForEachSite(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the journeys, and look at the mails they made leave when all of them are over."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.door)
    items.sort(key=lambda item: item.path.name == "test_every_mail.py")


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Leave alone what the running site keeps: stale pages are what the journeys look out for."""


@pytest.fixture(scope="session", params=["embedded", pytest.param("services", marks=NEEDS_SERVICES)])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start the site once for all journeys; fails at the end for what its processes complained about."""
    with ExitStack() as stack:
        letters = stack.enter_context(post_office())
        google = GoogleServer(GOOGLE_CLIENT, in_process=False)
        stack.callback(google.close)
        elsewhere = stack.enter_context(closing(Sink()))
        services = stack.enter_context(own_services(f"door_{NUMBER}")) if request.param == "services" else {}
        running = Site(
            f"{request.param}-{NUMBER}", tmp_path_factory.mktemp(request.param), letters, google, elsewhere, services
        )
        stack.enter_context(running.running())
        yield running
        complaints = running.complaints()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def staff(site: Site) -> Staff:
    """Return who runs the site, logged in with a second factor."""
    person = Staff(site)
    person.enters()
    return person


@pytest.fixture
def newcomer(site: Site) -> Callable[[str], Person]:
    """Return somebody who has never been here."""

    def arrive(name: str) -> Person:
        return Person(site, name)

    return arrive


@pytest.fixture
def member(newcomer: Callable[[str], Person]) -> Callable[[str], Person]:
    """Return somebody who has registered, proven the address and logged in."""

    def join(name: str) -> Person:
        return newcomer(name).joins()

    return join
