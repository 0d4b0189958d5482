"""Redis and the broker are helpers: with either of them dead a buyer buys, and nothing that follows is lost."""

import re
import shutil
import signal
from types import SimpleNamespace

import pytest
import requests

from mail.models import OutgoingMail
from orders.models import Invoice, Order
from orders.tests.factories import CONTACT, make_item
from payment import audit
from payment.models import Problem, WebhookEvent
from tests import processes
from tools.run import is_taken
from tools.services import free_port

pytestmark = pytest.mark.django_db(transaction=True)
NOBODY_LISTENS = "127.0.0.1:1"


def buy(site: SimpleNamespace, product) -> str:
    """Buy one piece as a guest's browser does, and return the id of the session that is to be paid."""
    browser = requests.Session()
    browser.trust_env = False
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    added = browser.post(f"{site.url}/cart/add/{product.pk}/", {"quantity": 1})
    assert (added.status_code, product.name in added.text) == (200, True)
    checkout = browser.get(f"{site.url}/orders/create/").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', checkout))
    form = {**CONTACT, **hidden, "terms": "on"}
    placed = browser.post(f"{site.url}/orders/create/", form, allow_redirects=False)
    assert placed.status_code == 307, placed.text
    paying = browser.post(f"{site.url}{placed.headers['Location']}", form, allow_redirects=False)
    assert paying.status_code == 303, paying.text
    return paying.headers["Location"].rpartition("/")[2]


def pay(site: SimpleNamespace, session_id: str) -> None:
    requests.post(f"{site.stripe_url}/_control/pay", json={"session": session_id}, timeout=30).raise_for_status()


def test_a_broker_that_is_dead_delays_the_mails_and_loses_nothing():
    book = make_item("12.50", stock=5)
    dead = {"CELERY_BROKER_URL": f"amqp://guest:guest@{NOBODY_LISTENS}//", "TEST_BROKER_SECONDS": "1"}
    with processes.site(**dead) as site:
        pay(site, buy(site, book))
        processes.wait_until(WebhookEvent.objects.exists, site.process)
        assert processes.sent_mails() == []

        for _ in range(2):
            ended = processes.run("tick", "--now", **site.settings)
            assert ended.returncode == 0, ended.stderr

    assert Order.objects.get().status == Order.Status.PAID
    assert Invoice.objects.get().pdf
    assert list(Problem.objects.values_list("text", flat=True)) == []
    mails = OutgoingMail.objects.order_by("kind").values_list("kind", "status")
    assert list(mails) == [("invoice", "sent"), ("order-confirmation", "sent")]
    assert len(processes.sent_mails()) == 2
    assert audit.everything() == []


@pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")
def test_redis_killed_between_two_buyers_is_noticed_by_neither():
    book = make_item("12.50", stock=5)
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with processes.started(*command, log="redis-of-its-own.log", env=processes.environment()) as redis:
        processes.wait_until(lambda: is_taken(port), redis)
        with processes.site(REDIS_URL=f"redis://127.0.0.1:{port}/0") as site:
            first = buy(site, book)
            processes.signal_group(redis, signal.SIGKILL)
            redis.wait()
            second = buy(site, book)
            for session_id in (first, second):
                pay(site, session_id)
            processes.wait_until(lambda: Invoice.objects.count() == 2, site.process)

    book.refresh_from_db()
    assert book.stock == 3
    assert set(Order.objects.values_list("status", flat=True)) == {Order.Status.PAID}
    assert audit.everything() == []
