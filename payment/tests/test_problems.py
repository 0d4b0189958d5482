"""What staff are told, and that background work is there to be done."""

import pytest
from django.conf import settings
from django.test import TestCase

from config import celery_app
from mail.models import OutgoingMail
from orders.tests.factories import make_order
from payment import problems
from payment.models import Problem


class ReportTests(TestCase):
    def test_two_long_keys_stay_two_and_one_stays_one(self):
        for key in ("k" * 199, "k" * 200, "k" * 201, "k" * 200 + "l", "k" * 201, "k" * 200):
            problems.report(key, "Odd.")

        assert Problem.objects.count() == OutgoingMail.objects.count() == 4
        assert max(len(key) for key in Problem.objects.values_list("key", flat=True)) == 200

    def test_bad_news_is_open_and_good_news_is_settled(self):
        order = make_order()
        problems.report("bad", "Bad.", order=order)
        problems.report("good", "Good.", order=order, is_settled=True)

        assert [bool(problem.resolved_at) for problem in Problem.objects.order_by("pk")] == [False, True]
        assert [event.note for event in order.events.all()][1:] == ["Bad.", "Good."]

    def test_what_is_decided_closes_what_began_alike_and_nothing_else(self):
        for key in ("dispute-1-open", "dispute-1-lost", "dispute-11-open"):
            problems.report(key, "x")

        problems.resolve("dispute-1-")

        assert list(Problem.objects.filter(resolved_at=None).values_list("key", flat=True)) == ["dispute-11-open"]


@pytest.mark.parametrize(
    "name", ["process_event", "fulfil_session", "send_refund", *(s for s in settings.SWEEPS if s.startswith("payment"))]
)
def test_a_worker_finds_each_task(name):
    assert f"payment.tasks.{name.rpartition('.')[2]}" in celery_app.tasks
