from django.test import TestCase

from account.tests.factories import make_user
from mail.models import OutgoingMail
from orders.models import Withdrawal
from orders.tests.factories import make_order

PAGE = "/orders/withdrawal/"
KEY = "k" * 22


class WithdrawalTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.order = make_order(paid=True)

    def declare(self, **changes: str):
        fields = {
            "name": "Ada Byron",
            "email": "ada@example.com",
            "order_number": f"#{self.order.pk}",
            "note": "Only the pen.",
            "key": KEY,
        }
        return self.client.post(PAGE, fields | changes)

    def test_first_step_shows_it_again_and_stores_nothing(self):
        response = self.declare()

        self.assertContains(response, "Confirm the withdrawal")
        self.assertContains(response, 'value="Only the pen."')
        assert not Withdrawal.objects.exists()

    def test_confirmed_it_is_stored_and_receipted_with_its_content(self):
        response = self.declare(confirmed="yes")

        self.assertRedirects(response, "/orders/withdrawal/done/")
        assert Withdrawal.objects.get().order == self.order
        receipt, notice = OutgoingMail.objects.order_by("id")
        assert (receipt.to, notice.reply_to) == ("ada@example.com", "ada@example.com")
        assert "Only the pen." in receipt.text
        assert "withdrawal" in self.order.events.last().note

    def test_twice_confirmed_is_one(self):
        self.declare(confirmed="yes")
        self.declare(confirmed="yes")

        assert (Withdrawal.objects.count(), OutgoingMail.objects.count()) == (1, 2)

    def test_order_page_prefills_it(self):
        response = self.client.get(PAGE, {"order": self.order.token})

        self.assertContains(response, f'value="#{self.order.pk}"')
        self.assertContains(self.client.get(self.order.get_absolute_url()), f"{PAGE}?order={self.order.token}")

    def test_change_goes_back_to_the_form(self):
        self.assertContains(self.declare(change="yes"), "<textarea")

    def test_number_without_its_address_is_taken_but_not_joined(self):
        for number, changes in enumerate([{"email": "eve@example.com"}, {"order_number": "99999999999999999999"}]):
            response = self.declare(confirmed="yes", key=f"{KEY}{number}", **changes)

            assert response.status_code == 302

        assert list(Withdrawal.objects.values_list("order", flat=True)) == [None, None]

    def test_bad_input_is_shown_again(self):
        response = self.declare(email="a@localhost", order_number="")

        assert response.status_code == 422
        assert set(response.context["form"].errors) == {"email", "order_number"}

    def test_an_address_gets_five_receipts_a_day(self):
        statuses = [self.declare(confirmed="yes", key=f"{KEY}{n}").status_code for n in range(5)]
        self.client.defaults["REMOTE_ADDR"] = "10.0.0.2"

        assert statuses == [302] * 5
        assert self.declare(confirmed="yes", key=f"{KEY}5").status_code == 429

    def test_staff_see_and_tick_off(self):
        self.declare(confirmed="yes")
        self.client.force_login(make_user(staff=True))

        self.assertContains(self.client.get("/admin/orders/withdrawal/"), "Ada Byron")
        self.client.post(
            "/admin/orders/withdrawal/", {"action": "mark_handled", "_selected_action": Withdrawal.objects.get().pk}
        )

        assert Withdrawal.objects.get().handled_at
