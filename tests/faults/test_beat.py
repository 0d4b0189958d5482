"""A real beat and a real worker: sweeps go on by themselves after the connection to the broker was lost."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from core.models import SweepRun
from core.tests.waiting import wait_until
from tests import processes
from tests.faults.proxy import Proxy

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
OFTEN = {"TEST_SWEEP_SECONDS": "1", "TEST_BROKER_SECONDS": "2"}
OUTBOX = "mail.tasks.sweep_outbox"


def has_run_since(moment) -> bool:
    return SweepRun.objects.filter(name=OUTBOX, ended_at__gt=moment).exists()


@pytest.fixture
def proxy(broker):
    address = urlsplit(broker)
    with Proxy((address.hostname, address.port or 5672)) as proxy:
        proxy.url = address._replace(netloc=f"{address.username}:{address.password}@127.0.0.1:{proxy.port}").geturl()
        yield proxy


def test_beat_goes_on_after_its_connection_was_cut_and_after_the_broker_was_away(proxy):
    with processes.worker(**OFTEN) as worker, processes.beat(CELERY_BROKER_URL=proxy.url, **OFTEN) as beat:
        wait_until(SweepRun.objects.filter(name=OUTBOX).exists, beat)
        assert proxy.cut() >= 1
        cut_at = timezone.now()
        wait_until(lambda: has_run_since(cut_at), worker)

        with proxy.refusing():
            log = processes.ARTIFACTS / f"beat-{processes.settings.CELERY_TASK_DEFAULT_QUEUE}.log"
            wait_until(lambda: "SchedulingError" in log.read_text(), beat)
        back_at = timezone.now()
        wait_until(lambda: has_run_since(back_at), worker)


def test_a_fresh_beat_runs_at_once_what_is_overdue_and_nothing_else(broker):
    long_ago, later = timezone.now() - timedelta(days=2), timezone.now() + timedelta(minutes=30)
    daily, hourly = "account.tasks.sweep_sessions", "payment.tasks.catch_up_events"
    SweepRun.objects.create(name=daily, due_at=long_ago, ended_at=long_ago)
    SweepRun.objects.create(name=hourly, due_at=later, ended_at=long_ago)

    with processes.worker() as worker, processes.beat():
        wait_until(lambda: SweepRun.objects.exclude(name=hourly).filter(ended_at__gt=long_ago).count() >= 13, worker)

    assert SweepRun.objects.get(name=hourly).ended_at == long_ago
    assert SweepRun.objects.get(name=daily).due_at > timezone.now() + timedelta(hours=23)
