import math
import re
from datetime import timedelta
from unittest.mock import Mock, patch

import yaml
from django.conf import settings
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from core.jobs import sweeps
from core.models import SweepRun
from core.web import metrics
from core.web.tests.test_metrics import MetricsCase, value
from mail.models import OutgoingMail
from mail.tests.factories import make_mail
from orders.tests.factories import make_order


class RowTests(MetricsCase):
    def test_mails_by_status_and_how_long_the_oldest_has_waited(self):
        make_mail(available_at=timezone.now() - timedelta(minutes=10))
        make_mail(status=OutgoingMail.Status.SENT)
        make_mail(status=OutgoingMail.Status.SENT)
        make_mail(status=OutgoingMail.Status.FAILED, available_at=timezone.now() - timedelta(days=9))

        text = self.ask().content.decode()

        found = {status: value(text, "atelier_mails", status=status) for status in OutgoingMail.Status.values}
        assert found == {"queued": 1, "sending": 0, "sent": 2, "failed": 1}
        assert 600 <= value(text, "atelier_mail_overdue_seconds") < 900

    def test_orders_that_wait(self):
        make_order()
        make_order(paid=True)

        assert self.now("atelier_open_orders", status="awaiting_payment") == 1
        assert self.now("atelier_open_orders", status="paid") == 1
        assert self.now("atelier_open_orders", status="refund_due") == 0

    def test_sweeps_and_since_when_they_were_not_run(self):
        SweepRun.objects.create(
            name="mail.tasks.sweep_outbox", ended_at=timezone.now() - timedelta(hours=1), has_failed=False
        )
        sweeps.note("payment.tasks.sweep_payments", has_failed=True)

        text = self.ask().content.decode()

        assert 3600 <= value(text, "atelier_sweep_age_seconds", sweep="mail.tasks.sweep_outbox") < 3900
        assert value(text, "atelier_sweep_failed", sweep="payment.tasks.sweep_payments") == 1

    def test_sweep_that_never_ran_is_told_as_overdue_for_ever(self):
        sweeps.note("mail.tasks.sweep_outbox", has_failed=False)

        text = self.ask().content.decode()

        assert value(text, "atelier_sweep_overdue_seconds", sweep="payment.tasks.sweep_payments") == math.inf
        assert value(text, "atelier_sweep_age_seconds", sweep="payment.tasks.sweep_payments") == math.inf
        assert value(text, "atelier_sweep_overdue_seconds", sweep="mail.tasks.sweep_outbox") < 60

    def test_more_rows_are_not_more_queries(self):
        def queries() -> int:
            with self.assertNumQueries(5):
                self.ask()

        queries()
        for _ in range(3):
            make_mail()
            make_order()
            sweeps.note(f"sweep {_}", has_failed=False)
        queries()

    def test_database_that_is_away_is_a_figure_and_no_error(self):
        with patch.object(metrics, "_gauges", [Mock(side_effect=OperationalError("gone"))]):
            answer = self.ask()

        assert answer.status_code == 200
        assert value(answer.content.decode(), "atelier_database_up") == 0
        assert self.now("atelier_database_up") == 1


class AlertTests(MetricsCase):
    def test_every_figure_that_an_alert_looks_at_is_told(self):
        rules = yaml.safe_load((settings.BASE_DIR / "deploy" / "alerts.yml").read_text())["groups"][0]["rules"]
        wanted = {name for rule in rules for name in re.findall(r"atelier_\w+", rule["expr"])}
        sweeps.note("mail.tasks.sweep_outbox", has_failed=False)
        self.client.get(reverse("healthz"))

        families = text_string_to_metric_families(self.ask().content.decode())
        told = {sample.name for family in families for sample in family.samples}

        assert wanted
        assert wanted - told == set()

    def test_every_sweep_that_an_alert_looks_at_exists(self):
        text = (settings.BASE_DIR / "deploy" / "alerts.yml").read_text()

        assert set(re.findall(r'sweep="([\w.]+)"', text)) <= set(settings.SWEEPS)
