from decimal import Decimal

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import ProtectedError
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_staff, make_user
from content.tests.picture_files import picture_bytes
from shop.models import Product
from shop.tests.factories import make_picture, make_product


class ProductAdminTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.staff = make_user("staff", staff=True)
        cls.vase = make_product("Vase", price=Decimal("40"), stock=10)
        cls.list_url = reverse("admin:shop_product_changelist")
        cls.form_url = f"{cls.list_url}?change=here"
        cls.url = reverse("admin:shop_product_change", args=[cls.vase.pk])

    def setUp(self):
        self.client.force_login(self.staff)

    def form(self, url: str) -> dict[str, object]:
        """Return what the browser would post if nothing were changed."""
        context = self.client.get(url).context
        formset = context.get("cl") and context["cl"].formset
        forms = [formset.management_form, *formset.forms] if formset else [context["adminform"].form]
        for each in context.get("inline_admin_formsets", []):
            forms += [each.formset.management_form, *each.formset.forms]
        data = {}
        for form in forms:
            for field in form:
                data[field.html_name] = field.value()
                if field.field.show_hidden_initial:
                    data[field.html_initial_name] = field.value()
        # What is left empty or unticked is left out; a zero is neither.
        return {name: value for name, value in data.items() if value or (value == 0 and value is not False)}

    def stock(self) -> int | None:
        return Product.objects.get(pk=self.vase.pk).stock

    def test_saving_another_field_leaves_a_sale_alone(self):
        data = self.form(self.url)
        Product.objects.take(self.vase.pk, 3)

        self.assertRedirects(self.client.post(self.url, {**data, "price": "45"}), self.list_url)

        assert (self.stock(), Product.objects.get(pk=self.vase.pk).price) == (7, Decimal("45"))

    def test_taking_off_show_and_describing_a_picture_at_once_keeps_the_picture(self):
        picture = make_picture(self.vase)
        data = self.form(self.url)
        del data["is_on_show"], data["pictures-0-file"]
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(self.url, {**data, "pictures-0-alt": "Another"})

        old = picture.file.name
        picture.refresh_from_db()
        assert picture.alt == "Another"
        assert not Product.objects.get(pk=self.vase.pk).is_on_show
        assert [default_storage.exists(name) for name in (old, picture.file.name)] == [False, True]

    def test_goods_that_are_not_what_their_name_says_are_refused(self):
        data = {**self.form(self.url), "is_digital": "on"}
        taken = {}
        for name, content in [
            ("book.pdf", b"MZ\x90 a program"),
            ("book.PDF", b"%PDF-1.7 a book"),
            ("song.m4a", b"\0\0\0\x20ftypM4A "),
            ("page.html.zip", b"<html>"),
            ("pattern.dxf", b"anything"),
        ]:
            answer = self.client.post(self.url, {**data, "download": SimpleUploadedFile(name, content)})
            taken[name] = answer.status_code == 302

        assert taken == {
            "book.pdf": False,
            "book.PDF": True,
            "song.m4a": True,
            "page.html.zip": False,
            "pattern.dxf": True,
        }
        with Product.objects.get(pk=self.vase.pk).download.open() as file:
            assert file.read() == b"anything"

    def test_a_recount_and_a_sale_both_count(self):
        data = self.form(self.url)
        Product.objects.take(self.vase.pk, 3)

        response = self.client.post(self.url, {**data, "stock": "12"}, follow=True)

        assert self.stock() == 9
        self.assertContains(response, "the stock changed while you were editing, so it is 9 now")

    def test_list_is_to_be_read_and_leads_to_the_form(self):
        page = self.client.get(self.list_url)

        self.assertContains(page, "€40.00")
        self.assertNotContains(page, 'name="form-0-stock"')
        self.assertContains(page, 'href="?change=here"')
        self.assertContains(self.client.get(self.form_url), 'name="form-0-stock"')
        self.assertContains(self.client.get(self.list_url, {"_facets": "True"}), "To read")

    def test_who_may_only_look_is_not_led_to_the_form(self):
        self.client.force_login(make_staff("looks", "shop.view_product"))

        self.assertNotContains(self.client.get(self.list_url), "change=here")
        self.assertNotContains(self.client.get(self.form_url), 'name="form-0-stock"')

    def test_list_that_was_open_as_a_form_before_is_saved_as_well(self):
        data = self.form(self.form_url)

        self.client.post(self.list_url, {**data, "form-0-stock": "11", "_save": "Save"})

        assert self.stock() == 11

    def test_list_edits_price_stock_and_availability_without_undoing_sales(self):
        data = self.form(self.form_url)
        Product.objects.take(self.vase.pk, 4)

        self.client.post(self.form_url, {**data, "form-0-stock": "11", "form-0-price": "41", "_save": "Save"})

        product = Product.objects.get(pk=self.vase.pk)
        assert (product.stock, product.price) == (7, Decimal("41"))

    def test_list_saved_unchanged_undoes_nothing(self):
        data = self.form(self.form_url)
        Product.objects.take(self.vase.pk, 4)

        self.client.post(self.form_url, {**data, "_save": "Save"})

        assert self.stock() == 6

    def test_stock_can_be_made_unlimited(self):
        self.client.post(self.url, {**self.form(self.url), "stock": ""})

        assert self.stock() is None

    def test_price_with_too_many_decimals_is_refused(self):
        response = self.client.post(self.url, {**self.form(self.url), "price": "12.345"})

        self.assertContains(response, "EUR is paid with at most 2 decimals.")

    def test_picture_can_be_added_and_becomes_the_cover(self):
        upload = SimpleUploadedFile("vase.png", picture_bytes("PNG", (64, 48)), "image/png")
        data = {**self.form(self.url), "pictures-0-file": upload, "pictures-0-alt": "A vase"}

        self.assertRedirects(self.client.post(self.url, data), self.list_url)

        self.vase.refresh_from_db()
        assert self.vase.cover.alt == "A vase"
        for url in (self.list_url, self.url):
            self.assertContains(self.client.get(url), 'alt="A vase" width="48"')

    def test_product_never_sold_can_be_deleted(self):
        self.client.post(reverse("admin:shop_product_delete", args=[self.vase.pk]), {"post": "yes"})

        assert not Product.objects.filter(pk=self.vase.pk).exists()

    def test_product_once_sold_is_never_deleted_and_that_is_said(self):  # D70
        sell(self.vase)

        response = self.client.post(
            reverse("admin:shop_product_delete", args=[self.vase.pk]), {"post": "yes"}, follow=True
        )

        self.assertContains(response, "Vase has been sold, so the books need it for ever.")
        action = {"action": "delete_selected", "_selected_action": self.vase.pk, "post": "yes"}
        self.client.post(self.list_url, action)
        with pytest.raises(ProtectedError):
            self.vase.delete()
        assert Product.objects.filter(pk=self.vase.pk).exists()


def sell(product: Product) -> None:
    # By name: the orders lie above the shop, which may not import them.
    order = apps.get_model("orders", "Order").objects.create(
        checkout_key="1", email="a@example.org", currency="EUR", subtotal=40, total=40, expires_at=timezone.now()
    )
    apps.get_model("orders", "OrderLine").objects.create(
        order=order, product=product, name=product.name, unit_price=40, vat_rate=19, quantity=1
    )


@pytest.mark.django_db
@pytest.mark.parametrize("count", [10, 20])
def test_list_costs_the_same_however_many_products(client, django_assert_num_queries, count):
    client.force_login(make_user("staff", staff=True))
    for _ in range(count):
        make_product()
    client.get(reverse("admin:shop_product_changelist"))  # the first look of the minute notes that staff are here

    with django_assert_num_queries(5):
        client.get(reverse("admin:shop_product_changelist"))
