from unittest import mock

from django.urls import reverse

from account.tests.factories import make_user
from orders.models import Order
from orders.tests.factories import make_item
from payment import refunds
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
        self.assertNotContains(page, " × ")
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

    def test_wrong_amounts_show_the_form_again_and_say_why(self):
        for amount, why in [
            ("0", "out_of_range"),
            ("-1", "out_of_range"),
            ("20.01", "out_of_range"),
            ("999999999.00", "out_of_range"),
            ("abc", "invalid"),
            ("", "required"),
            ("NaN", "invalid"),
            ("1e9", "max_whole_digits"),
            ("0.001", "too_many_decimals"),
            ("0.0001", "max_decimal_places"),
        ]:
            page = self.post(amount=amount)
            [error] = page.context["form"].errors.as_data()["amount"]
            assert (page.status_code, error.code) == (422, why), amount
        for amount in ("0.01", "19.99", "20.00"):
            assert self.post(amount=amount).status_code == 200, amount

    def test_goods_go_back_with_an_amount_only_when_it_is_all_that_is_left(self):
        for amount, status in (("19.99", 422), ("20.00", 200)):
            assert self.post(amount=amount, restocks="on").status_code == status

    def test_a_reason_has_two_hundred_letters_at_most(self):
        for length, status in ((200, 200), (201, 422), (0, 422)):
            assert self.post(amount="5.00", reason="x" * length).status_code == status

    def test_the_page_says_how_much_is_left_and_counts_in_the_payments_smallest_unit(self):
        self.post(amount="5.00", confirmed="yes", key="once")
        for currency, step in (("EUR", "0.01"), ("JPY", "1"), ("BHD", "0.01")):
            Payment.objects.update(currency=currency)
            page = self.client.get(self.url)
            self.assertContains(page, f'step="{step}"')
        Payment.objects.update(currency="EUR")
        self.assertContains(self.client.get(self.url), "At most €15.00")

    def test_confirmed_without_the_pages_key_is_asked_again(self):
        self.assertContains(self.post(amount="5.00", confirmed="yes"), "Yes, refund")

        assert not self.simulator.ledger.refunds

    def test_who_is_too_late_is_told(self):
        with mock.patch("payment.refunds.request", side_effect=refunds.TooMuch(0)):
            page = self.post(amount="5.00", confirmed="yes", key="once")

        self.assertContains(self.client.get(page["Location"]), "Someone else has refunded a part")

    def test_what_was_given_back_is_said(self):
        page = self.post(amount="5.00", confirmed="yes", key="once")

        self.assertContains(self.client.get(page["Location"]), "€5.00 go back.")

    def test_of_two_payments_the_one_with_something_left_is_offered(self):
        self.post(amount="20.00", confirmed="yes", key="once")
        self.assertContains(self.client.get(self.url), "nothing left to refund")
        values = {"order": self.order, "currency": "EUR", "is_accepted": False}
        for number, amount in enumerate((300, 400)):
            Payment.objects.create(payment_intent=f"pi_{number}", amount=amount, **values)
        disputed = Payment.objects.get(amount=400)
        Payment.objects.filter(pk=disputed.pk).update(dispute_status="needs_response")

        assert self.client.get(self.url).context["payment"].amount == 300
        fields = {"amount": "1.00", "reason": "x", "payment": Payment.objects.get(amount=2000).pk}
        page = self.client.post(self.url, fields, headers={"Sec-Fetch-Site": "same-origin"})
        assert (page.status_code, page.context["payment"].amount) == (422, 2000)

    def test_members_and_staff_without_permission_are_kept_out(self):
        member = make_user("bob")
        self.client.force_login(member)
        assert self.client.get(self.url).status_code == 302

        member.is_staff = True
        member.save()
        assert self.client.get(self.url).status_code == 403

    def test_unknown_order_is_404(self):
        assert self.client.get(reverse("payment:refund", args=[987654])).status_code == 404
