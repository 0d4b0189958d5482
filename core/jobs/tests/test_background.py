import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from unittest import mock

import pytest
from django.test import SimpleTestCase, TransactionTestCase, override_settings

from core.jobs import background
from core.tests.waiting import wait_until
from mail.models import OutgoingMail
from mail.tests.factories import make_mail


@pytest.fixture(autouse=True)
def inline_background():
    """These tests are about the hand-over itself."""


def ended(code: str) -> str:
    """Run a process to its end, and return what it has printed."""
    done = subprocess.run([sys.executable, "-c", code], timeout=200, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


def a_task(act):
    return mock.Mock(side_effect=act, name="task")


class SimpleTask:
    def __init__(self, name, act):
        self.name, self._act = name, act

    def __call__(self, *args):
        return self._act(*args)


@override_settings(CELERY_BROKER_URL="")
class ThreadTests(SimpleTestCase):
    def test_task_runs_in_another_thread(self):
        done = threading.Event()

        background.Threads().put(a_task(lambda number: done.set()), (1,))

        assert done.wait(200)

    def test_failing_task_is_logged_and_the_next_one_runs(self):
        done = threading.Event()
        threads = background.Threads(size=1)

        with self.assertLogs("core.jobs.background", "ERROR") as log:
            threads.put(SimpleTask("mail.tasks.work", lambda number: 1 / 0), (7,))
            threads.put(a_task(done.set), ())
            assert done.wait(200)

        assert "mail.tasks.work(7,) failed" in log.output[0]

    def test_two_tasks_run_side_by_side_and_more_start_no_more_threads(self):
        threads, together, done = background.Threads(), threading.Barrier(2), threading.Semaphore(0)
        others = set(threading.enumerate())

        for _ in range(6):
            threads.put(a_task(lambda: (together.wait(200), done.release())), ())

        assert all(done.acquire(timeout=200) for _ in range(6))
        assert (
            len({thread for thread in set(threading.enumerate()) - others if thread.name.startswith("background")}) == 2
        )

    def test_task_that_cannot_even_be_started_stops_no_other(self):
        done = threading.Event()
        threads = background.Threads(lambda task, args: task(*args), size=1)

        with self.assertLogs("core.jobs.background", "ERROR"):
            threads.put(a_task(ZeroDivisionError), ())
            threads.put(a_task(done.set), ())
            assert done.wait(200)

    def test_end_waits_for_what_runs_and_drops_what_waits(self):
        threads, started, ran = background.Threads(size=1), threading.Event(), []

        def slow(name):
            started.set()
            wait_until(lambda: threads._is_closed)
            ran.append(name)

        threads.put(a_task(slow), ("first",))
        assert started.wait(200)
        threads.put(a_task(slow), ("second",))
        threads.drop()
        threads.join(time.monotonic() + 200)

        assert ran == ["first"]

    def test_end_does_not_wait_for_ever(self):
        threads, started, go_on = background.Threads(size=1), threading.Event(), threading.Event()
        threads.put(a_task(lambda: (started.set(), go_on.wait())), ())
        assert started.wait(200)

        threads.join(time.monotonic() + 0.1)
        threads.join(time.monotonic() - 1)

        go_on.set()

    def test_process_ends_though_a_task_hangs(self):
        code = (
            "import threading; from django.conf import settings; settings.configure(SECONDS_TO_FINISH=0.2); "
            "from core.jobs import background; background.run = lambda task, args: task(*args); started = threading.Event(); "
            "background.lane('images').put(lambda: (started.set(), threading.Event().wait()), ()); started.wait()"
        )

        assert ended(code) == ""

    def test_process_that_ends_lets_what_runs_finish(self):
        code = (
            "import threading, time; from django.conf import settings; settings.configure(SECONDS_TO_FINISH=100); "
            "from core.jobs import background; background.run = lambda task, args: task(*args); started = threading.Event(); "
            "background.lane('mail').put(lambda: (started.set(), time.sleep(0.2), print('sent')), ()); started.wait()"
        )

        assert ended(code) == "sent\n"

    def test_pictures_that_hang_keep_no_mail_and_no_payment_waiting(self):
        self.enterContext(mock.patch.dict(background._lanes, clear=True))  # threads of earlier tests hold connections
        go_on, done = threading.Event(), {name: threading.Event() for name in ("mail", "payment")}
        self.addCleanup(go_on.set)

        for _ in range(background.THREADS * 2):
            background.start(SimpleTask("images.tasks.fetch_picture", go_on.wait), (200,))
        for app, event in done.items():
            background.start(SimpleTask(f"{app}.tasks.work", event.set), ())

        assert all(event.wait(200) for event in done.values())


@override_settings(CELERY_BROKER_URL="amqp://broker")
class BrokerTests(SimpleTestCase):
    def setUp(self):
        background.broker.forget()
        self.addCleanup(background.broker.forget)

    def test_task_is_published(self):
        task = mock.Mock()

        background.start(task, (1,))
        wait_until(lambda: task.apply_async.called)

        task.apply_async.assert_called_once_with((1,))

    def test_nobody_waits_for_a_broker_that_hangs(self):
        go_on, hangs = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        task = mock.Mock()
        task.apply_async.side_effect = lambda args: (hangs.set(), go_on.wait(200))

        for number in range(10):
            background.start(task, (number,))

        assert hangs.wait(200)
        assert task.apply_async.call_count == 1

    def test_broker_that_is_dead_is_left_alone_for_a_while(self):
        task = SimpleNamespace(name="task", apply_async=mock.Mock(side_effect=ConnectionRefusedError))

        with self.assertLogs("core.stores.breaker", "WARNING"):
            for _ in range(10):
                background.publish(task, (1,))

        assert task.apply_async.call_count == 1

    def test_process_that_ends_publishes_what_waits(self):
        code = (
            "import time; from django.conf import settings; "
            "settings.configure(SECONDS_TO_FINISH=1000, CELERY_BROKER_URL='amqp://broker'); from core.jobs import background; "
            "task = type('Task', (), {'name': 'a.b', 'apply_async': lambda self, args: (time.sleep(0.1), print(*args))})(); "
            "[background.start(task, (number,)) for number in range(3)]"
        )

        assert ended(code).split() == ["0", "1", "2"]

    def test_process_ends_though_the_broker_hangs(self):
        code = (
            "import threading; from django.conf import settings; started = threading.Event(); "
            "settings.configure(SECONDS_TO_FINISH=0.2, CELERY_BROKER_URL='amqp://broker'); from core.jobs import background; "
            "hang = lambda self, args: (started.set(), threading.Event().wait()); "
            "task = type('Task', (), {'name': 'a.b', 'apply_async': hang})(); "
            "[background.start(task, (number,)) for number in range(3)]; started.wait()"
        )

        assert ended(code) == ""

    def test_ten_thousand_hints_wait_for_a_slow_broker_and_the_rest_is_left_to_the_sweeps(self):
        self.enterContext(mock.patch.dict(background._lanes, clear=True))
        go_on, hangs = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        task = SimpleNamespace(name="task", apply_async=lambda args: (hangs.set(), go_on.wait(200)))
        background.start(task, ())
        assert hangs.wait(200)

        for _ in range(10_100):
            background.start(task, ())

        assert background.lane("broker").waiting == 10_000
        background.lane("broker").drop()

    def test_worker_publishes_by_itself_as_its_process_may_end_with_its_task(self):
        task = mock.Mock()

        with mock.patch.object(background, "current_task", mock.Mock()):
            background.start(task, (1,))

        task.apply_async.assert_called_once_with((1,))


@override_settings(CELERY_BROKER_URL="")
class EmbeddedTests(TransactionTestCase):
    def test_error_on_the_way_spoils_nothing_that_is_committed(self):
        with (
            mock.patch.object(background, "start", side_effect=ZeroDivisionError),
            self.assertLogs("django.db.backends.base", "ERROR"),
        ):
            mail = make_mail()

        assert mail.status == "queued"

    def test_mails_are_sent_behind_the_request(self):
        for _ in range(5):
            make_mail()

        wait_until(lambda: not OutgoingMail.objects.exclude(status="sent").exists())

        assert OutgoingMail.objects.filter(attempts=1).count() == 5
