"""Background work through RabbitMQ and a real worker, which may die at any moment."""

import signal
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from config.celery import app as celery_app
from core.tests.waiting import wait_until
from core.web.logs import belonging_to
from mail.models import OutgoingMail
from mail.tests.factories import make_mail
from tests import processes

pytestmark = pytest.mark.services

SENT = OutgoingMail.Status.SENT


def is_sent(mail):
    return OutgoingMail.objects.filter(pk=mail.pk, status=SENT).exists()


def test_the_worker_sends_what_a_request_commits(worker):
    mail = make_mail()

    wait_until(lambda: is_sent(mail), worker)


def test_what_the_worker_logs_belongs_to_the_request_that_caused_it(worker):
    with belonging_to("told-by-the-proxy"):
        mail = make_mail()

    wait_until(lambda: is_sent(mail), worker)
    log = processes.ARTIFACTS / f"worker-{settings.CELERY_TASK_DEFAULT_QUEUE}.log"
    wait_until(lambda: "[told-by-the-proxy] Task mail.tasks.deliver_mail" in log.read_text(), worker)


@pytest.mark.django_db(transaction=True)
def test_mail_written_while_no_worker_runs_is_sent_when_one_starts(broker):
    mail = make_mail()

    with processes.worker() as worker:
        wait_until(lambda: is_sent(mail), worker)


def test_mails_survive_a_worker_that_is_killed(worker):
    mails = [make_mail() for _ in range(20)]
    processes.signal_group(worker, signal.SIGKILL)
    worker.wait()

    with processes.worker() as successor:
        # What the dead worker held in its lease is due again when the lease ends, so it is moved there.
        OutgoingMail.objects.filter(status=OutgoingMail.Status.SENDING).update(lease_until=mails[0].available_at)
        assert processes.run("tick", "--now").returncode == 0
        wait_until(lambda: all(map(is_sent, mails)), successor)


@pytest.mark.django_db(transaction=True)
def test_a_worker_whom_the_broker_refuses_asks_again(broker):
    parts = urlsplit(broker)
    stranger = parts._replace(netloc=f"nobody:wrong@{parts.hostname}:{parts.port}").geturl()
    command = [processes.PYTHON, "-m", "celery", "-A", "config", "worker", "--concurrency", "1", "--without-gossip"]

    with processes.started(
        *command, log="worker-refused.log", env=processes.environment(CELERY_BROKER_URL=stranger)
    ) as worker:
        log = processes.ARTIFACTS / "worker-refused.log"
        wait_until(lambda: log.read_text().count("ACCESS_REFUSED") > 1, worker)


@pytest.mark.django_db(transaction=True)
def test_mail_whose_hint_was_lost_is_sent_by_a_tick(broker):
    mail = make_mail()
    celery_app.control.purge()

    assert processes.run("tick", "--now").returncode == 0

    assert is_sent(mail)
