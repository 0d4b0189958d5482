from django.urls import reverse

from account.tests.factories import make_user
from orders.models import Order
from orders.tests.factories import make_item
from payment.models import Payment
from payment.tests.stand_in import StripeTestCase


class RefundPageTests(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.product = make_item("20.00", stock=5)
        self.order = self.paid_order(lines=[(self.product, 1)])
        self.url = reverse("payment:refund", args=[self.order.pk])
        self.client.force_login(make_user("staff", staff=True))

    def post(self, **fields):
        payment = Payment.objects.get()
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(
                self.url,
                {"payment": payment.pk, "reason": "Torn page", **fields},
                headers={"Sec-Fetch-Site": "same-origin"},
            )

    def test_asks_before_it_refunds(self):
        page = self.post(amount="5.00")

        self.assertContains(page, "Refund €5.00")
        assert not self.simulator.ledger.refunds

    def test_confirmed_part_goes_back(self):
        self.post(amount="5.00", confirmed="yes", key="once")

        self.order.refresh_from_db()
        assert self.order.status == Order.Status.PARTIALLY_REFUNDED
        assert [refund["amount"] for refund in self.simulator.ledger.refunds.values()] == [500]
        assert self.order.invoices.filter(kind="credit_note").get().total == 5

    def test_pressed_twice_refunds_once(self):
        self.post(amount="5.00", confirmed="yes", key="once")
        self.post(amount="5.00", confirmed="yes", key="once")

        assert len(self.simulator.ledger.refunds) == 1

    def test_whole_with_goods_puts_them_on_the_shelf(self):
        self.post(amount="20.00", restocks="on", confirmed="yes", key="once")

        self.order.refresh_from_db()
        self.product.refresh_from_db()
        assert (self.order.status, self.product.stock) == (Order.Status.REFUNDED, 6)

    def test_wrong_amounts_show_the_form_again(self):
        for amount in ("0", "-1", "20.01", "abc", "", "NaN", "1e9", "0.001"):
            assert self.post(amount=amount).status_code == 422, amount
        assert self.post(amount="5.00", restocks="on").status_code == 422

    def test_members_and_staff_without_permission_are_kept_out(self):
        member = make_user("bob")
        self.client.force_login(member)
        assert self.client.get(self.url).status_code == 302

        member.is_staff = True
        member.save()
        assert self.client.get(self.url).status_code == 403

    def test_unknown_order_is_404(self):
        assert self.client.get(reverse("payment:refund", args=[987654])).status_code == 404
