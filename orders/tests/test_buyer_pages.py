from decimal import Decimal

from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from account.tests.factories import make_user
from orders import invoice
from orders.guest_orders import claim
from orders.models import Order, Withdrawal
from orders.tests.factories import make_item, make_order


class OrderDetailTests(TestCase):
    def test_secret_address_shows_the_order_to_nobody_else(self):
        order = make_order()

        response = self.client.get(order.get_absolute_url())

        self.assertContains(response, f"Order #{order.pk}")
        assert response["X-Robots-Tag"] == "noindex"
        assert "no-store" in response["Cache-Control"]

    def test_pages_of_a_buyer_are_kept_nowhere_and_take_no_posts(self):
        order = make_order(buyer=make_user("bob"), paid=True)
        self.client.force_login(order.buyer)
        paper = order.invoices.get().get_absolute_url()
        for address in ("/orders/", "/orders/create/", "/orders/withdrawal/", order.get_absolute_url(), paper):
            assert "no-store" in self.client.get(address)["Cache-Control"], address
        for address in ("/orders/", order.get_absolute_url(), paper, "/orders/withdrawal/done/"):
            assert self.client.post(address).status_code == 405, address
        assert self.client.put("/orders/withdrawal/").status_code == 405
        assert self.client.get(paper)["X-Robots-Tag"] == "noindex"

    def test_who_has_paid_may_withdraw_until_the_money_is_back(self):
        order = make_order(paid=True)
        for status in Order.Status:
            Order.objects.update(status=status)
            page = self.client.get(order.get_absolute_url())
            has_gone_back = status in ("refund_due", "refunded", "charged_back")
            assert bool(page.context["can_withdraw"]) is not has_gone_back, status
        assert not self.client.get(make_order().get_absolute_url()).context["can_withdraw"]

    def test_unknown_tokens_are_404(self):
        order = make_order()

        for token in ["x", str(order.pk), order.token[:-1], "%00", "é" * 50]:
            assert self.client.get(f"/orders/{token}/").status_code in (400, 404), token

    def test_waiting_order_can_be_paid(self):
        self.assertContains(self.client.get(make_order().get_absolute_url()), "Pay €12.50")

    def test_paid_order_shows_its_invoice_and_what_comes(self):
        order = make_order(paid=True)
        label = order.invoices.get().label

        response = self.client.get(order.get_absolute_url())

        self.assertContains(response, f"Invoice {label}")
        self.assertContains(response, "Sending")
        self.assertNotContains(response, "Pay €12.50")

    def test_every_state_has_words(self):
        order = make_order()

        for status in Order.Status:
            Order.objects.update(status=status)
            assert self.client.get(order.get_absolute_url()).status_code == 200

    def test_number_of_queries_does_not_grow_with_the_lines(self):
        few = make_order(lines=[(make_item(), 1)] * 2, paid=True)
        many = make_order(lines=[(make_item(), 1)] * 20, paid=True)
        with self.assertNumQueries(5):
            self.client.get(few.get_absolute_url())
        with self.assertNumQueries(5):
            self.client.get(many.get_absolute_url())

    def test_what_was_given_back_is_shown_with_its_amount(self):
        order = make_order(lines=[(make_item("20.00"), 1)], paid=True)
        with transaction.atomic():
            label = invoice.credit(order, Decimal("5.00"), "Torn").label

        page = self.client.get(order.get_absolute_url())

        self.assertContains(page, f"€5.00 given back (credit note {label})")
        self.assertContains(page, "−€5.00")

    def test_a_withdrawal_is_shown_and_whether_it_was_dealt_with(self):
        order = make_order(paid=True)
        fields = {"name": "Ada", "email": order.email, "order_number": str(order)}
        Withdrawal.objects.create(key="k1", order=order, **fields)
        page = self.client.get(order.get_absolute_url())
        self.assertContains(page, "<strong>Withdrawn</strong>")
        self.assertNotContains(page, "dealt with")

        Withdrawal.objects.update(handled_at=timezone.now(), is_late=True)

        page = self.client.get(order.get_absolute_url())
        self.assertContains(page, "Asked to withdraw")
        self.assertContains(page, "dealt with")


class OrderInvoiceTests(TestCase):
    def test_buyer_gets_the_pdf(self):
        order = make_order(paid=True)
        paper = order.invoices.get()

        response = self.client.get(paper.get_absolute_url())

        assert response.content.startswith(b"%PDF")
        assert response["Content-Type"] == "application/pdf"
        assert paper.label in response["Content-Disposition"]
        assert "no-store" in response["Cache-Control"]

    def test_one_order_does_not_open_the_invoice_of_another(self):
        mine, other = make_order(paid=True), make_order(paid=True)
        own = mine.invoices.get()
        assert own.label == f"{own.year}-00001"

        for label in [f"{own.year}-1", f"{own.year}-0001", f"0{own.label}", f"{own.year}-0000000001"]:
            assert self.client.get(f"/orders/{mine.token}/{label}.pdf").status_code == 404
        for label in [other.invoices.get().label, "2026", "abc-def", "2026-٣", "9" * 30 + "-1"]:
            assert self.client.get(f"/orders/{mine.token}/{label}.pdf").status_code == 404


class OrderListTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")

    def test_login_is_needed(self):
        self.assertRedirects(
            self.client.get("/orders/"), "/account/login/?next=/orders/", fetch_redirect_response=False
        )

    def test_member_sees_own_orders_only(self):  # D86
        mine, other = make_order(buyer=self.alice), make_order(buyer=self.bob)
        self.client.force_login(self.alice)

        response = self.client.get("/orders/")

        self.assertContains(response, mine.get_absolute_url())
        self.assertNotContains(response, other.get_absolute_url())

    def test_guest_orders_come_to_the_member_who_proved_the_address(self):
        guest = make_order(email="ALICE@example.com")
        self.client.force_login(self.alice)

        self.assertContains(self.client.get("/orders/"), guest.get_absolute_url())

        guest.refresh_from_db()
        assert guest.buyer == self.alice

    def test_unproven_address_claims_nothing(self):
        carol = make_user("carol", proven=False)
        make_order(email=carol.email)

        assert claim(carol) == 0

    def test_each_guest_order_is_claimed_once(self):
        for _ in range(2):
            make_order(email=self.alice.email)
        make_order(email=self.bob.email)

        assert [claim(self.alice), claim(self.alice)] == [2, 0]

    def test_twenty_orders_are_a_page(self):
        for _ in range(21):
            make_order(buyer=self.alice)
        self.client.force_login(self.alice)

        for number, count in ((1, 20), (2, 1)):
            assert len(self.client.get("/orders/", {"page": number}).context["page"].object_list) == count

    def test_somebody_elses_order_is_not_claimed_by_address(self):
        make_order(email=self.alice.email, buyer=self.bob)

        assert claim(self.alice) == 0

    def test_ten_more_orders_same_queries(self):
        for _ in range(3):
            make_order(buyer=self.alice)
        self.client.force_login(self.alice)
        with self.assertNumQueries(4):
            self.client.get("/orders/")
        for _ in range(10):
            make_order(buyer=self.alice)
        with self.assertNumQueries(4):
            self.client.get("/orders/")
