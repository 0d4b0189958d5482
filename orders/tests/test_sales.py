from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.test import TestCase, override_settings
from django.utils import timezone

from account.tests.factories import make_user
from core.tests.clock import MOMENT, stopped
from orders import invoice, sales
from orders.models import Order, VatId, Withdrawal
from orders.tests.factories import make_item, make_order


class SalesTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.staff = make_user("staff", staff=True)
        cls.paid = make_order(lines=[(make_item("40.00", stock=2, name="Last notebook"), 1)], paid=True)
        make_order(lines=[(make_item("99.00"), 1)])
        older = make_order(lines=[(make_item("10.00"), 1)], paid=True)
        Order.objects.filter(pk=older.pk).update(paid_at=timezone.now() - timedelta(days=40))

    def test_paid_orders_less_credit_notes_stand_on_their_day(self):
        with transaction.atomic():
            invoice.credit(self.paid, Decimal("5.00"), "Torn")

        amounts = [bar.amount for bar in sales.chart("day")]

        assert (len(amounts), amounts[-1], sum(amounts)) == (30, Decimal(35), Decimal(35))

    def test_bars_fill_the_drawing_and_stand_on_its_line(self):
        Order.objects.filter(pk=self.paid.pk).update(paid_at=timezone.now() - timedelta(days=1), total=Decimal(80))
        with transaction.atomic():
            invoice.credit(self.paid, Decimal("5.00"), "Torn")
        make_order(lines=[(make_item("15.00"), 1)], paid=True)

        *_, zero, top, eighth = sales.chart("day")

        assert (zero.x, zero.y, zero.width, zero.height) == (650, 170, 20, 0)
        assert (top.x, top.y, top.width, top.height) == (674, 20, 20, 150)
        assert (eighth.amount, eighth.x, eighth.y, eighth.height) == (10, 698, 151.2, 18.8)
        assert [(bar.x, bar.width) for bar in sales.chart("week")[:2]] == [(2, 23.7), (29.7, 23.7)]

    def test_a_day_on_which_more_went_back_than_came_in_has_no_bar(self):
        Order.objects.filter(pk=self.paid.pk).update(paid_at=timezone.now() - timedelta(days=1))
        with transaction.atomic():
            invoice.credit(self.paid, Decimal("5.00"), "Torn")

        assert [(bar.amount, bar.height, bar.y) for bar in sales.chart("day")][-1] == (-5, 0, 170)

    def test_six_or_seven_bars_are_labelled(self):
        for name, labelled in (("day", range(0, 30, 5)), ("week", range(0, 26, 4)), ("month", range(0, 12, 2))):
            bars = sales.chart(name)
            assert [index for index, bar in enumerate(bars) if bar.is_labelled] == list(labelled), name

    def test_weeks_begin_on_monday_and_months_on_the_first(self):
        with stopped(datetime(2026, 3, 5, 12, tzinfo=UTC)):  # a Thursday
            days, weeks, months = ([bar.label for bar in sales.chart(name)] for name in ("day", "week", "month"))

        assert (days[0], days[-1], len(days)) == ("4 Feb", "5 Mar", 30)
        assert (weeks[0], weeks[-2], weeks[-1], len(weeks)) == ("8 Sep", "23 Feb", "2 Mar", 26)
        assert (months[0], months[-1], len(months)) == ("Apr 25", "Mar 26", 12)

    def test_the_first_day_counts_from_its_midnight(self):
        first = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=29)
        for at, amount in ((first, 40), (first - MOMENT, 0)):
            Order.objects.filter(pk=self.paid.pk).update(paid_at=at)
            assert sales.chart("day")[0].amount == amount

    def test_the_morning_is_told_in_numbers(self):
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        with transaction.atomic():
            invoice.credit(self.paid, Decimal("5.00"), "Torn")
        yesterday = make_order(paid=True)
        Order.objects.filter(pk=yesterday.pk).update(created_at=midnight - MOMENT, paid_at=midnight - MOMENT)
        Order.objects.filter(pk=self.paid.pk).update(created_at=midnight, paid_at=midnight)
        values = {"name": "Ada", "email": "ada@example.com", "order_number": "1"}
        Withdrawal.objects.create(key="a", handled_at=midnight, **values)
        Withdrawal.objects.create(key="b", **values)
        VatId.objects.create(number="ATU12345675")
        VatId.objects.create(number="ATU87654324", is_refused=True)

        with override_settings(VAT_REVERSE_CHARGE="verified"):
            assert sales.today() == {"ordered": 3, "takings": 35, "to_send": 3, "withdrawals": 1, "vat_ids": 1}
        with override_settings(VAT_REVERSE_CHARGE="off"):
            assert sales.today()["vat_ids"] == 0

    def test_ten_products_that_run_out_are_listed_the_emptiest_first(self):
        for stock in (4, 3, 0, None):
            make_item(stock=stock, name=f"Of {stock}")
        make_item(stock=1, name="Withdrawn", is_on_show=False)
        assert [product.name for product in sales.scarce()] == ["Of 0", "Last notebook", "Of 3"]

        for name in "bca":
            make_item(stock=1, name=name)
        for _ in range(9):
            make_item(stock=2)
        assert [product.name for product in sales.scarce()][:4] == ["Of 0", "a", "b", "c"]
        assert len(sales.scarce()) == 10

    def test_weeks_and_months_add_up_the_same_days(self):
        for name in ("week", "month"):
            assert sum(bar.amount for bar in sales.chart(name)) == Decimal(50)

    def test_start_page_shows_figures_chart_and_what_runs_out(self):
        self.client.force_login(self.staff)

        response = self.client.get("/admin/", {"sales": "month"})

        self.assertContains(response, '<svg class="sales-chart"')
        self.assertContains(response, "Last notebook")
        self.assertNotContains(response, "style=")

    def test_senseless_period_is_the_default_and_commas_do_not_reach_the_drawing(self):
        self.client.force_login(self.staff)

        assert self.client.get("/admin/", {"sales": "'><x"}).status_code == 200

    def test_staff_without_the_permission_see_no_figures(self):
        clerk = make_user("clerk")
        clerk.is_staff = True
        clerk.save()
        self.client.force_login(clerk)

        self.assertNotContains(self.client.get("/admin/"), "sales-chart")
