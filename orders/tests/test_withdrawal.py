from datetime import timedelta

from django.test import TestCase
from django.utils import timezone
from django.utils.formats import date_format

from account.tests.factories import make_user
from mail.models import OutgoingMail
from orders import withdrawals
from orders.models import Order, Withdrawal
from orders.tests.factories import make_item, make_order

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
        assert "withdrawn" in self.order.events.last().note

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

    def send(self, *, days_ago: int, hours: int = 0) -> None:
        Order.objects.update(sent_at=timezone.now() - timedelta(days=days_ago, hours=hours), status="fulfilled")
        self.order.refresh_from_db()

    def late_page(self, **fields: str):
        return self.client.post(f"{PAGE}?order={self.order.token}", fields)

    def test_time_begins_when_the_things_are_sent_and_is_said(self):
        assert withdrawals.last_day(self.order) is None
        self.send(days_ago=21)

        page = self.client.get(self.order.get_absolute_url())

        self.assertContains(page, "Withdraw from this purchase")
        self.assertContains(page, f"until {date_format(timezone.localdate())}")
        self.declare(confirmed="yes")
        assert not Withdrawal.objects.get().is_late

    def test_after_the_time_it_is_a_request_and_everybody_is_told(self):
        self.send(days_ago=22)
        over = "The time to withdraw without a reason ended on"

        self.assertContains(self.client.get(self.order.get_absolute_url()), "Ask whether you may send things back")
        self.assertContains(self.client.get(PAGE, {"order": self.order.token}), over)
        fields = {"name": "Ada", "email": "ada@example.com", "order_number": str(self.order.pk), "key": KEY}
        self.assertContains(self.late_page(**fields), "Send the request")
        self.late_page(**fields, confirmed="yes")

        assert Withdrawal.objects.get().is_late
        receipt, notice = OutgoingMail.objects.order_by("id")
        assert over in receipt.text and over in receipt.html
        assert "it is a request" in notice.text
        assert "after the time" in self.order.events.last().note

    def test_a_guessed_number_and_address_are_not_told_whether_it_is_late(self):
        self.send(days_ago=40)

        in_time, made_up = self.declare(), self.declare(order_number="#987654")

        for page in (in_time, made_up):
            self.assertContains(page, "Confirm the withdrawal")
            self.assertNotContains(page, "ended on")

    def test_time_of_downloads_begins_with_the_payment(self):
        order = make_order(lines=[(make_item(is_digital=True), 1)], paid=True)
        order.lines.update(is_digital=True)

        assert withdrawals.last_day(order) == timezone.localdate() + timedelta(days=14)
        order.sent_at = timezone.now()
        assert withdrawals.last_day(order) == timezone.localdate() + timedelta(days=21)
        waiting = make_order()
        waiting.lines.update(is_digital=True)
        assert withdrawals.last_day(waiting) is None

    def test_number_without_its_address_is_taken_but_not_joined(self):
        for number, changes in enumerate([{"email": "eve@example.com"}, {"order_number": "99999999999999999999"}]):
            response = self.declare(confirmed="yes", key=f"{KEY}{number}", **changes)

            assert response.status_code == 302

        assert list(Withdrawal.objects.values_list("order", flat=True)) == [None, None]

    def test_a_number_is_read_as_people_write_it(self):
        pk = self.order.pk
        for number, is_found in [
            (str(pk), True),
            (f"#{pk}", True),
            (f" #{pk} ", True),
            (str(pk).zfill(18), True),
            (str(pk).zfill(19), False),  # a number as long does not fit into the database
            ("9" * 18, False),
            ("9" * 19, False),
            (f"##{pk}", False),
            (f"-{pk}", False),
            ("²", False),
            ("one", False),
        ]:
            Withdrawal.objects.all().delete()
            said = {"key": KEY, "name": "Ada", "email": "ADA@example.com", "order_number": number, "note": ""}
            assert (withdrawals.receive(**said).order == self.order) == is_found, number

    def test_bad_input_is_shown_again(self):
        response = self.declare(email="a@localhost", order_number="")

        assert response.status_code == 422
        assert set(response.context["form"].errors) == {"email", "order_number"}

    def test_a_stranger_who_uses_up_the_receipts_keeps_nobody_from_withdrawing(self):
        for n in range(7):  # from as many addresses as it takes
            self.client.defaults["REMOTE_ADDR"] = f"10.0.0.{n}"
            self.declare(confirmed="yes", key=f"{KEY}{n}", order_number=f"#99{n}")
        self.client.defaults["REMOTE_ADDR"] = "10.0.1.1"

        assert self.declare(confirmed="yes", key=f"{KEY}x").status_code == 302

        assert self.order.withdrawals.count() == 1
        mails = OutgoingMail.objects.order_by("id")
        assert mails.filter(kind="withdrawal-receipt").count() == 5 + 1
        assert mails.filter(kind="withdrawal-notice").count() == 7 + 1
        assert "Only the pen." in mails.filter(kind="withdrawal-receipt").last().text

    def test_the_same_statement_again_is_one_until_it_is_handled(self):
        for n in range(3):
            self.declare(confirmed="yes", key=f"{KEY}{n}")
        assert (Withdrawal.objects.count(), OutgoingMail.objects.count()) == (1, 2)

        Withdrawal.objects.update(handled_at=timezone.now())
        self.declare(confirmed="yes", key=f"{KEY}3")

        assert (Withdrawal.objects.count(), OutgoingMail.objects.count()) == (2, 4)

    def test_no_words_of_a_stranger_are_mailed_to_an_address_without_that_order(self):
        spam = "Win at https://evil.example"
        self.declare(confirmed="yes", name=spam, note=spam, order_number="evil.example")

        receipt, notice = OutgoingMail.objects.order_by("id")
        assert receipt.to == "ada@example.com"
        assert "we have received a withdrawal" in receipt.text
        assert "evil" not in receipt.subject + receipt.text + receipt.html
        assert spam in notice.text

    def test_staff_see_and_tick_off(self):
        self.declare(confirmed="yes")
        self.client.force_login(make_user(staff=True))

        self.assertContains(self.client.get("/admin/orders/withdrawal/"), "Ada Byron")
        self.client.post(
            "/admin/orders/withdrawal/", {"action": "mark_handled", "_selected_action": Withdrawal.objects.get().pk}
        )

        assert Withdrawal.objects.get().handled_at
