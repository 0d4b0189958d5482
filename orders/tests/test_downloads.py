from django.core.files.base import ContentFile
from django.test import TestCase
from django.urls import reverse

from orders.models import Order
from orders.tests.factories import make_item, make_order


class DownloadTests(TestCase):
    def setUp(self):
        self.font = make_item(is_digital=True)
        self.font.download.save("Oak Sans.otf", ContentFile(b"glyphs"))
        self.order = make_order(lines=[(self.font, 1)], paid=True)
        self.url = reverse("orders:order_download", args=[self.order.token, self.order.lines.get().pk])

    def test_nobody_waits_for_a_parcel_of_files(self):
        page = self.client.get(self.order.get_absolute_url())

        self.assertContains(page, "Your files and your invoice are below")
        self.assertNotContains(page, "Sending")
        self.assertNotContains(page, "Goes to")
        with_a_book = make_order(lines=[(self.font, 1), (make_item(), 1)], paid=True)
        self.assertContains(self.client.get(with_a_book.get_absolute_url()), "Sending")

    def test_paid_order_hands_the_file_out_under_its_name(self):
        self.assertContains(self.client.get(self.order.get_absolute_url()), self.url)

        response = self.client.get(self.url)

        assert b"".join(response.streaming_content) == b"glyphs"
        assert response["Content-Disposition"] == 'attachment; filename="Oak_Sans.otf"'
        assert "no-store" in response["Cache-Control"]

    def test_nothing_is_handed_out_before_the_payment_or_after_the_refund(self):
        for status in [Order.Status.AWAITING_PAYMENT, Order.Status.EXPIRED, Order.Status.REFUNDED]:
            Order.objects.update(status=status)

            assert self.client.get(self.url).status_code == 404, status
            self.assertNotContains(self.client.get(self.order.get_absolute_url()), self.url)

    def test_other_orders_lines_and_missing_files_are_404(self):
        other = make_order(lines=[(make_item(), 1)], paid=True)
        line = self.order.lines.get()

        assert self.client.get(reverse("orders:order_download", args=[other.token, line.pk])).status_code == 404
        assert (
            self.client.get(reverse("orders:order_download", args=[other.token, other.lines.get().pk])).status_code
            == 404
        )
        self.font.download.storage.delete(self.font.download.name)
        assert self.client.get(self.url).status_code == 404
