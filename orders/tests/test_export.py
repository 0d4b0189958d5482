import csv
import io
from decimal import Decimal

from django.test import TestCase

from account.tests.factories import make_user
from orders import export
from orders.models import Order
from orders.tests.factories import make_item, make_order


def read(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


class ExportTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.staff = make_user("staff", staff=True)
        cls.orders = [
            make_order(lines=[(make_item("10.00"), 2), (make_item("3.00", vat_rate="7"), 1)], paid=number == 0)
            for number in range(3)
        ]

    def setUp(self):
        self.client.force_login(self.staff)

    def export(self, action: str, *orders: Order):
        ids = [order.pk for order in orders]
        return self.client.post("/admin/orders/order/", {"action": action, "_selected_action": ids})

    def test_a_row_for_each_selected_order_with_its_totals(self):  # D82
        first, second, _left_out = self.orders

        rows = read(self.export("export_orders", first, second))

        assert [row["order"] for row in rows] == [str(first.pk), str(second.pk)]
        assert (rows[0]["pieces"], rows[0]["net"], rows[0]["VAT"], rows[0]["total"]) == ("3", "19.61", "3.39", "23.00")
        assert rows[0]["invoice"] == first.invoices.get().label
        assert rows[1]["invoice"] == ""

    def test_amounts_are_those_of_the_order_in_its_currency(self):
        order = make_order(
            lines=[(make_item("100.00"), 1)], discount="10.00", shipping=Decimal("5.00"), total=Decimal("95.00")
        )

        [row] = read(self.export("export_orders", order))

        names = ("goods", "discount", "shipping", "net", "VAT", "total", "currency")
        assert [row[name] for name in names] == ["100.00", "10.00", "5.00", "79.83", "15.17", "95.00", "EUR"]

    def test_a_row_for_each_line(self):
        rows = read(self.export("export_lines", self.orders[0]))

        assert [(row["quantity"], row["amount"], row["VAT rate"]) for row in rows] == [
            ("2", "20.00", "19.00"),
            ("1", "3.00", "7.00"),
        ]

    def test_name_that_is_a_formula_is_text(self):  # D82
        order = make_order(first_name='=HYPERLINK("http://evil.test")')

        assert read(self.export("export_orders", order))[0]["first name"] == '\'=HYPERLINK("http://evil.test")'

    def test_ten_more_orders_same_queries(self):  # D82
        few = [make_order() for _ in range(5)]
        many = [make_order() for _ in range(15)]
        with self.assertNumQueries(3):
            list(export.orders_csv(Order.objects.filter(pk__in=[o.pk for o in few])).streaming_content)
        with self.assertNumQueries(3):
            list(export.orders_csv(Order.objects.filter(pk__in=[o.pk for o in many])).streaming_content)

    def test_twenty_first_export_in_an_hour_is_refused(self):
        for _ in range(20):
            read(self.export("export_orders", self.orders[0]))

        response = self.export("export_orders", self.orders[0])

        assert response.status_code == 302
