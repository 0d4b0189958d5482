from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from account.tests.factories import make_user
from orders import invoice, sales
from orders.models import Order
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
