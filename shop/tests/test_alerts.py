from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from core.tests.races import MOST, all_at_once
from mail.models import OutgoingMail
from shop import alerts
from shop.models import Product, StockAlert
from shop.tasks import answer_stock_alerts
from shop.tests.factories import make_product


class AlertCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.vase = make_product("Vase & Co", stock=0)
        cls.url = f"{cls.vase.get_absolute_url()}alert/"

    def ask(self, email: str = "bob@example.org"):
        return self.client.post(self.url, {"email": email})

    def restock(self) -> None:
        Product.objects.restock(self.vase.pk, seen=0, counted=3)
        answer_stock_alerts()

    def mails(self, kind: str) -> list[OutgoingMail]:
        return list(OutgoingMail.objects.filter(kind=kind))

    def link(self) -> str:
        return reverse("shop:stock_alert_confirm", args=[StockAlert.objects.get().token])


class AskTests(AlertCase):
    def test_sold_out_product_offers_the_form(self):
        self.assertContains(self.client.get(self.vase.get_absolute_url()), f'action="{self.url}"')
        self.assertNotContains(self.client.get(make_product().get_absolute_url()), "/alert/")

    def test_stranger_gets_a_link_first_and_one_mail_when_it_is_back(self):
        self.assertRedirects(self.ask(), self.vase.get_absolute_url())
        confirmation = self.mails("stock_alert_confirm")[0]
        assert confirmation.subject == "Shall we tell you when Vase & Co is back?"
        assert self.link() in confirmation.text

        self.assertRedirects(self.client.post(self.link()), self.vase.get_absolute_url())
        assert not self.mails("back_in_stock")
        for _ in range(3):
            self.restock()

        assert [mail.to for mail in self.mails("back_in_stock")] == ["bob@example.org"]
        assert self.vase.get_absolute_url() in self.mails("back_in_stock")[0].text

    def test_looking_at_the_link_confirms_nothing(self):
        self.ask()

        self.assertContains(self.client.get(self.link()), "Yes, tell me")
        self.restock()

        assert not self.mails("back_in_stock")

    def test_proven_member_needs_no_link(self):
        alice = make_user("alice", email="alice@example.org")
        self.client.force_login(alice)
        self.assertContains(self.client.get(self.vase.get_absolute_url()), "alice@example.org")

        self.client.post(self.url, {"email": "somebody.else@example.org"})
        self.restock()

        assert [mail.to for mail in OutgoingMail.objects.all()] == ["alice@example.org"]

    def test_unproven_member_is_asked_like_a_stranger(self):
        self.client.force_login(make_user("alice", proven=False))

        self.ask()

        assert StockAlert.objects.get().confirmed_at is None

    def test_asking_again_is_the_same_wish(self):
        for email in ["bob@example.org", "Bob@Example.org", "bob@example.org"]:
            self.ask(email)

        assert StockAlert.objects.count() == len(self.mails("stock_alert_confirm")) == 1

    def test_after_the_answer_one_may_ask_anew(self):
        self.ask()
        self.client.post(self.link())
        self.restock()
        Product.objects.filter(pk=self.vase.pk).update(stock=0)

        self.ask()

        assert StockAlert.objects.count() == 2

    def test_wrong_addresses_are_shown_again(self):
        for email in [
            "",
            "bob",
            "a@example.org,b@example.org",
            "a@example.org\r\nBcc: b@example.org",
            "x" * 300 + "@a.org",
        ]:
            with self.subTest(email=email[:40]):
                response = self.ask(email)

                assert response.status_code in (422, 429)
        assert not StockAlert.objects.exists()

    def test_asking_is_limited(self):
        for number in range(5):
            self.ask(f"{number}@example.org")

        assert self.ask().status_code == 429

    def test_wish_can_be_deleted_from_the_mail(self):
        self.ask()

        self.client.post(self.link().replace("confirm", "cancel"))

        assert not StockAlert.objects.exists()

    def test_unknown_wishes_and_products_are_404(self):
        assert self.client.get("/shop/alerts/nothing/confirm/").status_code == 404
        assert self.client.post("/shop/alerts/nothing/cancel/").status_code == 404
        assert self.client.get("/shop/alerts/nothing/cancel/").status_code == 405
        assert self.client.post("/shop/999999/x/alert/").status_code == 404
        assert self.client.get(self.url).status_code == 405


class AnswerTests(AlertCase):
    def wish(self, **fields) -> StockAlert:
        values = {"email": "bob@example.org", "confirmed_at": timezone.now(), **fields}
        return StockAlert.objects.create(product=self.vase, **values)

    def test_product_off_show_is_not_back(self):
        self.wish()
        Product.objects.filter(pk=self.vase.pk).update(is_on_show=False)

        self.restock()

        assert not self.mails("back_in_stock")

    def test_restocking_in_the_admin_answers_at_once(self):
        self.wish()
        self.client.force_login(make_user("staff", staff=True))
        url = reverse("admin:shop_product_changelist")
        data = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": self.vase.pk, "form-0-price": "12.50"}
        data |= {"form-0-stock": "4", "initial-form-0-stock": "0", "form-0-is_on_show": "on", "_save": "Save"}

        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(url, data)

        assert len(self.mails("back_in_stock")) == 1

    def test_returned_stock_of_an_expired_order_answers_too(self):
        self.wish()

        Product.objects.give_back(self.vase.pk, 1)
        answer_stock_alerts()

        assert len(self.mails("back_in_stock")) == 1

    def test_database_holds_one_open_wish_for_each_address(self):
        self.wish()

        with pytest.raises(IntegrityError), transaction.atomic():
            self.wish(email="BOB@example.org")

    def test_old_rows_are_dropped(self):
        long_ago = timezone.now() - timedelta(days=100)
        self.wish(email="a@example.org", confirmed_at=None)
        self.wish(email="b@example.org", sent_at=long_ago)
        StockAlert.objects.update(created_at=long_ago)
        kept = self.wish(email="c@example.org")

        answer_stock_alerts()

        assert list(StockAlert.objects.all()) == [kept]


@pytest.mark.django_db(transaction=True)
def test_a_wish_answered_by_many_workers_is_one_mail():
    product = make_product(stock=1)
    wish = StockAlert.objects.create(product=product, email="bob@example.org", confirmed_at=timezone.now())

    assert sum(all_at_once(alerts.answer, [wish] * MOST)) == 1
    assert OutgoingMail.objects.count() == 1
