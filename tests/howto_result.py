"""What somebody asks of a project in which the lists of CONTRIBUTING.md were followed; run there by test_howto.py."""

from django.conf import settings
from django.core import mail
from django.db import transaction
from django.test import Client, TestCase

from account import second_factor
from account.tests.factories import code_now, make_user
from mail.models import OutgoingMail
from shop.models import Product
from shop.tests.factories import make_product
from tests.addresses import addresses
from tests.processes import told


class ResultTests(TestCase):
    def test_the_page_answers_with_its_product_and_is_walked_with_the_others(self):
        make_product("Vase", stock=2)

        page = Client().get("/shop/last-pieces/")

        assert page.status_code == 200
        assert "Vase" in page.text
        assert addresses()["shop:last_pieces"].callback.is_cached

    def test_the_release_before_may_write_rows_without_the_field(self):
        assert Product._meta.get_field("material").db_default == ""

    def test_staff_can_type_the_field_and_the_page_shows_it(self):
        client = Client()
        client.force_login(make_user("staff", staff=True))
        product = make_product("Box", material="Oak")

        assert 'name="material"' in client.get(f"/admin/shop/product/{product.pk}/change/").text
        assert "Made of Oak" in client.get(product.get_absolute_url()).text

    def test_the_setting_comes_from_the_environment_or_says_what_is_wrong(self):
        assert told("settings.STOCK_ALERT_DAYS", STOCK_ALERT_DAYS="3") == "3.0"
        assert "STOCK_ALERT_DAYS must be" in told("settings.DEBUG", STOCK_ALERT_DAYS="soon")
        assert "\n#STOCK_ALERT_DAYS=7\n" in (settings.BASE_DIR / ".env.example").read_text()

    def test_the_mail_is_a_row_at_first_and_leaves_with_the_commit(self):
        factor = second_factor.begin(make_user("ada"))
        with self.captureOnCommitCallbacks(execute=True):
            with transaction.atomic():
                second_factor.confirm(factor.user, code_now(factor.secret))
            assert OutgoingMail.objects.get().status == OutgoingMail.Status.QUEUED
            assert mail.outbox == []

        assert OutgoingMail.objects.get().status == OutgoingMail.Status.SENT
        assert [letter.to for letter in mail.outbox] == [["ada@example.com"]]
