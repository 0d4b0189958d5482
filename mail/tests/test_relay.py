import subprocess
import sys
import threading
from types import SimpleNamespace
from unittest import mock

import pytest
from django.test import SimpleTestCase, TransactionTestCase, override_settings

from config.tests.waiting import wait_until
from mail import relay
from mail.models import OutgoingMail
from mail.tests.factories import make_mail


@pytest.fixture(autouse=True)
def inline_relay():
    """These tests are about the hand-over itself."""


def a_task(act):
    return mock.Mock(side_effect=act, name="task")


@override_settings(CELERY_BROKER_URL="")
class ThreadTests(SimpleTestCase):
    def test_task_runs_in_another_thread(self):
        done = threading.Event()

        relay.Threads().put(a_task(lambda number: done.set()), (1,))

        assert done.wait(200)

    def test_failing_task_is_logged_and_the_next_one_runs(self):
        done = threading.Event()
        threads = relay.Threads(size=1)

        with self.assertLogs("mail.relay", "ERROR"):
            threads.put(a_task(ZeroDivisionError), ())
            threads.put(a_task(done.set), ())
            assert done.wait(200)

    def test_close_waits_for_what_runs_and_drops_what_waits(self):
        threads, started, ran = relay.Threads(size=1), threading.Event(), []

        def slow(name):
            started.set()
            wait_until(lambda: threads._is_closed)
            ran.append(name)

        threads.put(a_task(slow), ("first",))
        assert started.wait(200)
        threads.put(a_task(slow), ("second",))
        threads.close(seconds=200)

        assert ran == ["first"]

    def test_close_does_not_wait_for_ever(self):
        threads, started, go_on = relay.Threads(size=1), threading.Event(), threading.Event()
        threads.put(a_task(lambda: (started.set(), go_on.wait())), ())
        assert started.wait(200)

        threads.close(seconds=0.1)

        go_on.set()

    def test_process_ends_though_a_task_hangs(self):
        code = (
            "import threading; from mail import relay; threads = relay.Threads(); started = threading.Event(); "
            "relay.run = lambda task, args: task(*args); threads.close = lambda: relay.Threads.close(threads, 0.2); "
            "threads.put(lambda: (started.set(), threading.Event().wait()), ()); started.wait()"
        )

        assert subprocess.run([sys.executable, "-c", code], timeout=200, check=False).returncode == 0


class BrokerTests(SimpleTestCase):
    def setUp(self):
        self.addCleanup(setattr, relay, "_broker_retry_at", 0.0)
        relay._broker_retry_at = 0.0

    def test_task_is_published(self):
        task = mock.Mock()

        with self.settings(CELERY_BROKER_URL="amqp://broker"):
            relay.hand_over(task, (1,))

        task.apply_async.assert_called_once_with((1,))

    def test_dead_broker_costs_one_page_its_time_out_and_no_page_an_error(self):
        task = SimpleNamespace(name="task", apply_async=mock.Mock(side_effect=ConnectionRefusedError))

        with self.settings(CELERY_BROKER_URL="amqp://broker"), self.assertLogs("mail.relay", "WARNING"):
            for _ in range(10):
                relay.hand_over(task, (1,))

        assert task.apply_async.call_count == 1


@override_settings(CELERY_BROKER_URL="")
class EmbeddedTests(TransactionTestCase):
    def test_mails_are_sent_behind_the_request(self):
        for _ in range(5):
            make_mail()

        wait_until(lambda: not OutgoingMail.objects.exclude(status="sent").exists())

        assert OutgoingMail.objects.filter(attempts=1).count() == 5
