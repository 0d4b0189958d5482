"""Amounts that nobody can pay, or that the database cannot hold: refused in words, and never the end of a sweep."""

from datetime import timedelta
from decimal import Decimal
from unittest import mock, skipUnless

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone

from config import celery_app
from core.jobs.rows import SomeFailed
from core.tests.clock import MOMENT, stopped
from mail.models import OutgoingMail
from orders import audit
from orders.models import Invoice, Order
from orders.tasks import sweep_invoices
from orders.tests.factories import make_item, make_order
from orders.tests.test_order_create import CREATE, CheckoutCase
from orders.totals import MOST
from shop.models import Product


class RefusalTests(CheckoutCase):
    def assert_refused(self, words, *, book):
        page = self.shown()
        self.assertContains(page, words)
        self.assertNotContains(page, "Order and pay")

        answer = self.client.post(CREATE, self.fields())

        self.assertContains(answer, words, status_code=422)
        book.refresh_from_db()
        assert book.stock == 99
        assert not Order.objects.exists()
        assert not OutgoingMail.objects.exists()
        assert not self.client.get("/cart/").context["cart"].is_empty

    def test_less_than_the_least_that_stripe_charges_is_refused_in_words(self):
        self.fill_cart(book := make_item("0.49", stock=99))

        self.assert_refused("The least that can be paid is €0.50", book=book)

    def test_the_least_can_be_ordered(self):
        self.fill_cart(make_item("0.50"))

        assert self.order().status_code == 307

    def test_more_than_the_most_is_refused_in_words(self):
        self.fill_cart(book := make_item("999999.99", stock=99), quantity=2)

        self.assert_refused("The most that can be paid at once is €999,999.99", book=book)

    def test_the_most_can_be_ordered(self):
        self.fill_cart(make_item("999999.99"))

        assert self.order().status_code == 307

    def test_a_milliard_is_refused_in_words(self):
        """SQLite wrote it, could not read it again, and every sweep over the orders failed."""
        self.fill_cart(book := make_item("99999999.99", stock=99), quantity=99)

        self.assert_refused("The most that can be paid at once", book=book)

    @override_settings(SHOP_CURRENCY="IDR")
    def test_what_stripe_takes_and_our_columns_do_not_hold_is_refused_in_words(self):
        self.fill_cart(book := make_item("900000000", stock=99), quantity=2)

        self.assert_refused("The most that can be paid at once", book=book)

    def test_nothing_to_pay_is_no_total_too_small(self):
        self.fill_cart(make_item("5.00"))
        with mock.patch("cart.cart.Cart.discount", Decimal("5.00")):
            assert self.order().status_code == 307

    def test_a_hundred_different_products_with_shipping_can_be_ordered(self):
        self.fill_cart(*(make_item("1.00") for _ in range(100)))

        assert self.order().status_code == 307


class ConstraintTests(TestCase):
    def test_the_database_refuses_amounts_that_do_not_fit(self):
        order = make_order(paid=True)
        paper = order.invoices.get()
        for row, name in [
            *((order, name) for name in ("subtotal", "discount", "shipping", "total", "vat")),
            (order.lines.get(), "unit_price"),
            (paper, "total"),
        ]:
            for amount in (Decimal("-0.001"), MOST + 1):
                with pytest.raises(Exception, match=r"fit|overflow"), transaction.atomic():
                    type(row).objects.filter(pk=row.pk).update(**{name: amount})

    def test_the_most_fits(self):
        order = make_order()

        Order.objects.update(subtotal=MOST, total=MOST)

        order.refresh_from_db()
        assert order.total == MOST


def spoil(table, column, pk):
    """Write what SQLite took before there were constraints."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f"UPDATE {table} SET {column} = 9899999999.01 WHERE id = %s", [pk])
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


# Checks of the payment compare with payments, which these orders have none of.
OURS = [check for check in audit._checks if check.__module__ == audit.__name__]


@skipUnless(connection.vendor == "sqlite", "PostgreSQL's columns refuse such an amount by themselves")
@mock.patch.object(audit, "_checks", OURS)
class UnreadableRowTests(TestCase):
    def test_an_audit_names_the_row_and_looks_at_the_others(self):
        orders = [make_order() for _ in range(4)]
        spoil("orders_order", "total", orders[1].pk)
        Order.objects.filter(pk=orders[3].pk).update(vat=Decimal("0.01"))

        found = "\n".join(audit.problems())

        assert f"Order {orders[1].pk} cannot be read" in found
        assert f"Order {orders[3].pk}: the VAT of its rates is not" in found

    def test_an_invoice_that_cannot_be_read_does_not_stop_the_sweep_for_the_others(self):
        papers = [make_order(paid=True).invoices.get() for _ in range(3)]
        Invoice.objects.update(created_at="2026-01-01T00:00:00Z", pdf="")
        spoil("orders_invoice", "total", papers[0].pk)

        with pytest.raises(SomeFailed, match="failed for 1"):
            sweep_invoices()

        assert set(Invoice.objects.exclude(pdf="").values_list("pk", flat=True)) == {papers[1].pk, papers[2].pk}


class SweepTests(TestCase):
    def test_an_invoice_that_cannot_be_drawn_does_not_keep_the_others_waiting(self):
        broken, good = (make_order(paid=True).invoices.get() for _ in range(2))
        Invoice.objects.update(created_at="2026-01-01T00:00:00Z", pdf="")
        Invoice.objects.filter(pk=broken.pk).update(snapshot={})

        with pytest.raises(SomeFailed, match="failed for 1"):
            sweep_invoices()

        good.refresh_from_db()
        assert good.pdf

    def test_invoices_older_than_twenty_seconds_are_drawn_fifty_at_a_time(self):
        paper = make_order(paid=True).invoices.get()
        now = timezone.now()
        drawn = mock.patch("orders.invoice.pdf")
        for age, number in ((timedelta(seconds=20), 0), (timedelta(seconds=20) + MOMENT, 1)):
            Invoice.objects.update(created_at=now - age)
            with stopped(now), drawn as pdf:
                sweep_invoices()
            assert pdf.call_count == number

        values = {"order": paper.order, "year": 2001, "total": 1, "snapshot": {}, "kind": "credit_note"}
        Invoice.objects.bulk_create(Invoice(reference=n, number=n, **values) for n in range(1, 52))
        Invoice.objects.update(created_at=now - timedelta(days=1))
        with drawn as pdf:
            sweep_invoices()
        assert pdf.call_count == 50

    def test_a_worker_finds_both_tasks(self):
        for name in ("make_pdf", "sweep_invoices"):
            assert f"orders.tasks.{name}" in celery_app.tasks

    def test_a_check_that_breaks_says_so_and_the_others_go_on(self):
        def breaks():
            raise ZeroDivisionError
            yield ""

        with mock.patch.object(audit, "_checks", [breaks, lambda: iter(["found"])]):
            first, second = audit.problems()

        assert "breaks could not be finished: ZeroDivisionError()" in first
        assert second == "found"


@skipUnless(connection.vendor == "sqlite", "PostgreSQL's columns refuse such an amount by themselves")
class MigrationTests(TransactionTestCase):
    """A database that holds such an order can be upgraded."""

    def migrate(self, name):
        executor = MigrationExecutor(connection)
        executor.migrate([("orders", name)])

    def test_an_order_too_large_is_cut_and_cancelled_and_gives_its_pieces_back(self):
        book = make_item(stock=1)
        order, other = make_order(lines=[(book, 2)]), make_order()
        newest = MigrationExecutor(connection).loader.graph.leaf_nodes("orders")[0][1]
        self.addCleanup(self.migrate, newest)
        self.migrate("0002_vat_tracking_and_late_withdrawals")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE orders_order SET total = 9899999999.01, subtotal = -1 WHERE id = %s", [order.pk])

        self.migrate(newest)

        order, other = Order.objects.get(pk=order.pk), Order.objects.get(pk=other.pk)
        assert (order.total, order.subtotal, order.status, order.holds_stock) == (MOST, 0, "cancelled", False)
        assert "total 9899999999.01" in order.events.last().note
        assert Product.objects.get(pk=book.pk).stock == 3
        assert (other.status, other.total) == ("awaiting_payment", Decimal("12.50"))
        with pytest.raises(IntegrityError):
            Order.objects.update(total=MOST + 1)
