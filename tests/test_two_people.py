"""
Two people, one cache: whoever asks before them, and whatever changes meanwhile, people get their own page as it is now.

Visitors, members, staff and browsers with other programs' cookies ask a real server (two workers) for the same addresses
in random order: between random changes, then while rows are changing. Each answer is compared with what a process that
has kept nothing makes for the same request. TWO_PEOPLE_STEPS asks for a long run, TWO_PEOPLE_SEED for another order.

The same with four workers while a first server is replaced by a second one: on one host, and on two where Redis is.
"""

import http.client
import os
import random
import re
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BytesIO
from itertools import zip_longest
from unittest.mock import patch

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test.client import RequestFactory

from core.caching import memory, versions
from core.caching.tests.test_pages import the_tests_own_connection  # noqa: F401 - used by every test here
from core.caching.versions import Versions
from core.tests.races import all_at_once
from core.tests.waiting import wait_until
from tests import processes
from tests.house import House
from tools.run import web_server
from tools.services import answers, free_port

STEPS = int(os.environ.get("TWO_PEOPLE_STEPS", "250"))
UPGRADE_STEPS = int(os.environ.get("TWO_PEOPLE_STEPS", "60"))
SEED = int(os.environ.get("TWO_PEOPLE_SEED", "7"))
CONNECTIONS = 8  # kept open, so that both workers are asked
SECONDS_TO_HEAR = 0.05  # until the other host has all that was said; the first of it is waited for
AT_ONCE = 3  # who asks while one thing changes
CHANGES = int(os.environ.get("TWO_PEOPLE_STEPS", "180")) // AT_ONCE
# What a page is cut into: a feed has no lines.
BETWEEN = re.compile(rb"[\n<,]")
# What changes though nothing has: the moment at which a form was shown, signed, and "2 minutes ago".
CLOCK = re.compile(rb"shown:[\w:-]+|\d+\xc2\xa0[a-z]+ ago")
# What somebody has written (House.word).
WRITTEN = re.compile(rb"word\d", re.IGNORECASE)
COMPARED = ("content-type", "location")


class Server:
    """The real one, asked over sockets that stay open."""

    def __init__(self, port, host=""):
        self.host = host or f"127.0.0.1:{port}"
        self.sockets = [http.client.HTTPConnection(f"127.0.0.1:{port}", timeout=100) for _ in range(CONNECTIONS)]

    def get(self, number, address, headers, known=("", b"")):
        """Ask over one of the sockets, as a browser that has the page with this ETag; return status, headers, body, ETag."""
        etag, had = known
        asked = {**headers, **({"If-None-Match": etag} if etag else {})}
        try:
            answer = self.asked(self.sockets[number], address, asked)
        except ConnectionError:  # the server ends a connection that was silent for long
            self.sockets[number].close()
            answer = self.asked(self.sockets[number], address, asked)
        body = answer.read()
        named = {name.lower(): value for name, value in answer.getheaders()}
        if answer.status == 304:
            return 200, None, had, etag
        return (
            answer.status,
            {name: named.get(name) for name in COMPARED},
            CLOCK.sub(b"", body),
            named.get("etag") or "",
        )

    def asked(self, socket, address, headers):
        socket.request("GET", address, headers=headers)
        return socket.getresponse()

    def headers(self, cookies):
        # No person's browser: looking at a page must not change it.
        return {"Host": self.host, "User-Agent": "curl/8", "Cookie": cookies.encode().decode("latin-1")}


def made_anew(address, headers):
    """Return what a process that has kept nothing answers."""
    memory.clear()
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    request = RequestFactory().generic("GET", address, **environ)
    request.environ["wsgi.input"] = BytesIO()
    answer = {}

    def start_response(status, given, exc_info=None):
        named = {name.lower(): value for name, value in given}
        answer.update(status=int(status[:3]), headers={name: named.get(name) for name in COMPARED})

    response = WSGIHandler()(request.environ, start_response)
    body = b"".join(response)
    response.close()
    return answer["status"], answer["headers"], CLOCK.sub(b"", body)


@contextmanager
def running(application="config.rsgi:application", workers=2, host="", **changes):
    """Run the site; with `host`, as another server of the site that is known by it."""
    port = free_port()
    server = Server(port, host)
    command = [*web_server(port, reload=False)[:-1], application]
    command[command.index("--workers") + 1] = str(workers)
    env = processes.environment(SITE_URL=f"http://{server.host}", CELERY_BROKER_URL="", **changes)
    with processes.started(*command, log=f"two-people-{port}.log", env=env) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"), process)
        yield server


@pytest.fixture(scope="module")
def site(django_db_setup):
    with running() as server:
        yield server


@pytest.fixture
def server(transactional_db, site, settings):
    settings.SITE_URL = f"http://{site.host}"
    return site


@pytest.mark.timeout(max(600, 2 * STEPS))
def test_everybody_gets_their_own_page_as_it_is_now(server):
    walk = Walk()
    walk.go([server], STEPS)
    assert walk.kept > STEPS / 5


@pytest.mark.timeout(max(600, 2 * UPGRADE_STEPS))
def test_so_they_do_of_every_host_while_one_is_upgraded(transactional_db, settings, tmp_path):
    hosts = 2 if settings.REDIS_URL else 1
    there = Versions(tmp_path)
    with ExitStack() as old, ExitStack() as stack:
        first = old.enter_context(running(workers=4))
        settings.SITE_URL = f"http://{first.host}"
        more = partial(running, workers=4, host=first.host)
        servers = [first, *(stack.enter_context(more(TEST_VAR_DIR=str(tmp_path))) for _ in range(1, hosts))]
        walk = Walk(elsewhere=[there][: hosts - 1])

        walk.go(servers, UPGRADE_STEPS // 3)
        upgraded = stack.enter_context(more())
        walk.go([*servers, upgraded], UPGRADE_STEPS // 3)
        old.close()
        walk.go([*servers[1:], upgraded], UPGRADE_STEPS // 3)
    assert walk.kept > UPGRADE_STEPS / 5


@pytest.mark.django_db(transaction=True)
def test_an_upgrade_to_a_server_without_versions_is_found(server):
    walk = Walk()
    walk.go([server], 20)
    upgrade = running("tests.no_versions:application", host=server.host)
    with upgrade as upgraded, pytest.raises(AssertionError, match="is wrong"):
        walk.go([server, upgraded], 1000)


@pytest.mark.timeout(max(600, 4 * CHANGES))
def test_a_page_made_while_rows_change_is_never_kept_beyond_the_change(server):
    assert ask_while_rows_change(server, CHANGES) > CHANGES / 10


def test_without_versions_old_pages_are_found(server, monkeypatch):
    monkeypatch.setattr(versions, "changed", lambda names: None)
    with pytest.raises(AssertionError, match="is wrong"):
        ask_while_rows_change(server, 1000)


@pytest.mark.django_db(transaction=True)
def test_with_versions_read_too_late_old_pages_are_found(settings):
    with running("tests.late_versions:application") as server, pytest.raises(AssertionError, match="is wrong"):
        settings.SITE_URL = f"http://{server.host}"
        ask_while_rows_change(server, 1000)


class Walk:
    """Random steps: somebody asks one of the servers, and now and then something changes on one of the hosts."""

    def __init__(self, elsewhere=()):
        self.chance = random.Random(SEED)
        self.house = House(self.chance)
        self.hosts = [versions.versions(), *elsewhere]
        self.steps = self.kept = 0
        self.known = {}

    def go(self, servers, steps):
        for _ in range(steps):
            self.steps += 1
            happened = self.change() if self.chance.random() < 0.25 else ""
            person, address = self.chance.choice(list(self.house.people)), self.chance.choice(self.house.addresses())
            number = self.chance.randrange(len(servers))
            headers = servers[number].headers(self.house.cookies(person))
            had = self.known.get((person, address), ("", b""))
            got = servers[number].get(self.chance.randrange(CONNECTIONS), address, headers, had)
            where = (SEED, self.steps, number, happened, person, headers["Cookie"], address)
            assert_same(got, made_anew(address, headers), where)
            if got[3]:
                self.known[person, address] = (got[3], got[2])
                self.kept += 1

    def change(self):
        """Change something on any host. Another one is told of it by Redis, within milliseconds, and not at once."""
        here = self.chance.choice(self.hosts)
        before = [host.now() for host in self.hosts]
        with patch.object(versions, "versions", lambda: here):
            happened = self.house.change()
        if len(self.hosts) > 1 and here.now() > before[self.hosts.index(here)]:
            for host, number in zip(self.hosts, before, strict=True):
                wait_until(lambda host=host, number=number: host.now() > number)
            time.sleep(SECONDS_TO_HEAR)
        return happened


def ask_while_rows_change(server, times):
    """
    Change one thing at a time while three people ask for the same page, and compare what they get then and afterwards.

    At that moment a page may show the site before or after the change, piece by piece; as soon as it is over, only after it.
    Returns how often the change made another page.
    """
    chance = random.Random(SEED)
    house, differed = House(chance), 0
    for step in range(times):
        address = chance.choice(house.addresses())
        people = [server.headers(house.cookies(person)) for person in chance.sample(list(house.people), AT_ONCE)]
        sockets = chance.sample(range(CONNECTIONS), AT_ONCE)
        before = [made_anew(address, headers) for headers in people]
        asking = [
            partial(server.get, number, address, headers) for number, headers in zip(sockets, people, strict=True)
        ]
        happened, *got = all_at_once(lambda act: act(), [house.change, *asking])
        for number, headers, old, mixed in zip(sockets, people, before, got, strict=True):
            now = made_anew(address, headers)
            where = (SEED, step, happened, headers["Cookie"], address)
            assert_one_of(mixed, old, now, where)
            assert_same(server.get(number, address, headers, (mixed[3], mixed[2])), now, where)
            differed += old != now
    return differed


def assert_one_of(got, before, after, where):
    """
    A page is made by several statements, and the change may come between two of them: each piece is of either page.

    Where a page ends or begins with the change, what it is made of may be gone before it, and it says that it is empty.
    """
    assert got[0] in (before[0], after[0]), where
    strange = set.difference(*(set(BETWEEN.split(page[2])) for page in (got, before, after)))
    if before[0] != after[0]:
        strange = set(filter(WRITTEN.search, strange))
    assert got[0] >= 400 or not strange, f"{where} is wrong, and was never so: {strange}"


def assert_same(got, expected, where):
    assert got[0] == expected[0], f"{where} is wrong: {got[0]} {expected[0]}"
    if got[0] < 400:  # what an error page of a developer's server says is not the site's
        assert got[2] == expected[2], f"{where} is wrong: {difference(got[2], expected[2])}"
        assert got[1] in (None, expected[1]), f"{where} is wrong: {got[1]} {expected[1]}"


def difference(got, expected):
    """Return the first lines that are not the same."""
    pairs = zip_longest(got.decode().splitlines(), expected.decode().splitlines(), fillvalue="")
    return next(pair for pair in pairs if pair[0] != pair[1])
