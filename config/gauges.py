"""What waits in the database, for /metrics. Each host reports the same: Prometheus takes max() of them, not sum()."""

import math

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from core.jobs.sweeps import seconds_overdue
from core.models import SweepRun
from core.web.metrics import register_gauge
from mail.models import OutgoingMail
from orders.models import Order


@register_gauge
def mails() -> list[Metric]:
    Status = OutgoingMail.Status
    unsent = OutgoingMail.objects.order_by().exclude(status=Status.SENT)
    numbers = dict.fromkeys(Status.values, 0) | dict(unsent.values_list("status").annotate(Count("id")))
    numbers[Status.SENT] = OutgoingMail.objects.count() - sum(numbers.values())
    gauge = GaugeMetricFamily("atelier_mails", "Outgoing mails by status.", labels=["status"])
    for status, number in numbers.items():
        gauge.add_metric([str(status)], number)
    due = unsent.exclude(status=Status.FAILED).aggregate(oldest=Min("available_at"))["oldest"]
    age = GaugeMetricFamily("atelier_mail_overdue_seconds", "How long the mail that waits longest has been due.")
    age.add_metric([], max((timezone.now() - due).total_seconds(), 0) if due else 0)
    return [gauge, age]


@register_gauge
def orders() -> list[Metric]:
    open_ones = [Order.Status.AWAITING_PAYMENT, Order.Status.PROCESSING, Order.Status.PAID, Order.Status.REFUND_DUE]
    rows = Order.objects.order_by().filter(status__in=open_ones).values_list("status").annotate(Count("id"))
    gauge = GaugeMetricFamily("atelier_open_orders", "Orders that wait for somebody, by status.", labels=["status"])
    for status, number in (dict.fromkeys(open_ones, 0) | dict(rows)).items():
        gauge.add_metric([str(status)], number)
    return [gauge]


@register_gauge
def sweeps() -> list[Metric]:
    age = GaugeMetricFamily("atelier_sweep_age_seconds", "Since a sweep last ended; +Inf: never.", labels=["sweep"])
    overdue = GaugeMetricFamily("atelier_sweep_overdue_seconds", "Since it should have run.", labels=["sweep"])
    failed = GaugeMetricFamily("atelier_sweep_failed", "Whether it failed then.", labels=["sweep"])
    runs, now = SweepRun.objects.in_bulk(), timezone.now()
    for name in settings.SWEEPS:
        run = runs.get(name)
        age.add_metric([name], (now - run.ended_at).total_seconds() if run and run.ended_at else math.inf)
        overdue.add_metric([name], seconds_overdue(run, now))
        failed.add_metric([name], float(run is not None and run.has_failed))
    return [age, overdue, failed]
