from datetime import timedelta
from io import StringIO

from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from account.models import Follow, User
from actions.models import Action
from blog.models import Comment, Post
from demo import texts
from demo.catalogue import CATALOGUE
from demo.drawing import MOTIFS
from demo.goods import FORMS
from demo.guide import guide
from demo.people import MEMBER, PASSWORD, PEOPLE, STAFF
from demo.pinboard import PICTURES
from demo.sheet import PALETTES
from demo.trade import BASKETS
from images.models import Image
from orders import audit
from orders.models import Invoice, InvoiceCounter, Order
from shop.models import Product

ITEMS = {item.name: item for items in CATALOGUE.values() for item in items}


def demo(**options):
    out = StringIO()
    call_command("demo", stdout=out, stderr=out, verbosity=0, **options)
    return out.getvalue()


@override_settings(DEBUG=True)
class DemoTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        with override_settings(DEBUG=True):
            cls.said = demo(posts=4, pictures=3, products=5, orders=12)

    def test_it_prints_logins_that_work(self):
        assert MEMBER in self.said and STAFF in self.said and PASSWORD in self.said
        assert User.objects.get(username=MEMBER).check_password(PASSWORD)
        assert User.objects.get(username=STAFF).is_staff

    def test_only_printed_accounts_have_a_password(self):
        usable = {user.username for user in User.objects.all() if user.has_usable_password()}

        assert usable == {MEMBER, STAFF}

    def test_members_follow_each_other(self):
        assert User.objects.count() == len(PEOPLE)
        assert Follow.objects.count() >= 3 * len(PEOPLE)

    def test_posts_have_tags_comments_and_a_past(self):
        post = Post.objects.published().newest_first().first()

        assert Post.objects.count() == 4
        assert post.tags.count() > 1
        assert Comment.objects.approved().exists()
        assert post.comment_count == post.comments.approved().count()

    def test_pictures_are_stored_with_their_size(self):
        for product in Product.objects.select_related("cover"):
            assert product.cover.alt
            assert product.cover.width > 0
            assert default_storage.exists(product.cover.file.name)

    def test_pictures_are_saved_liked_and_credited(self):
        assert Image.objects.public().count() == 3
        assert all(image.credit_url and image.alt for image in Image.objects.all())
        assert all(image.total_likes == image.likes.count() > 0 for image in Image.objects.all())

    def test_the_stream_is_as_old_as_the_deeds(self):
        assert Action.objects.filter(created_at__lt=timezone.now() - timedelta(days=30)).count() > 20

    def test_invoices_are_numbered_without_gap_in_each_year(self):
        for counter in InvoiceCounter.objects.filter(last__gt=0):
            numbers = Invoice.objects.filter(year=counter.year).values_list("number", flat=True)
            assert sorted(numbers) == list(range(1, counter.last + 1))

    def test_orders_end_in_different_ways_and_only_paid_ones_have_an_invoice(self):
        assert Order.objects.count() == 12
        assert Order.objects.values("status").distinct().count() > 3
        without = Order.objects.filter(invoices=None).values_list("status", flat=True)
        assert set(without) <= {Order.Status.EXPIRED, Order.Status.CANCELLED, Order.Status.AWAITING_PAYMENT}

    def test_the_books_of_the_demo_are_right(self):
        assert list(audit.problems()) == []

    def test_orders_are_older_the_earlier_they_were_written(self):
        dates = list(Order.objects.order_by("pk").values_list("created_at", flat=True))

        assert dates == sorted(dates)

    def test_second_run_changes_nothing(self):
        said = demo()

        assert "left out" in said
        assert Post.objects.count() == 4

    def test_pages_of_the_demo_answer(self):
        for address in [reverse("home"), reverse("blog:post_list"), reverse("shop:product_list")]:
            assert self.client.get(address).status_code == 200


class DemoRefusalTests(TestCase):
    @override_settings(DEBUG=False)
    def test_it_refuses_where_its_passwords_would_be_a_hole(self):
        assert "DEBUG is off" in demo()
        assert not User.objects.exists()


def test_texts_mention_only_goods_that_exist():
    names = {name for text in texts.read(99) for name in texts.MENTION.findall(text.body)}

    assert names
    assert names <= set(ITEMS)


def test_there_is_as_much_as_promised():
    posts = texts.read(99)

    assert len(posts) == 40
    assert sum(text.days < 0 and text.status == "published" for text in posts) == 1
    assert sum(text.status == "draft" for text in posts) == 1
    assert len(ITEMS) == 30 and len(CATALOGUE) == 5
    assert len(PICTURES) == 60
    assert {name for basket in BASKETS for name in basket} <= set(ITEMS)


def test_everything_drawn_is_described_and_different():
    drawn = [(picture.motif, picture.palette, picture.ratio) for picture in PICTURES]

    assert all(picture.title and picture.alt and picture.origin for picture in PICTURES)
    assert len({picture.title for picture in PICTURES}) == len(PICTURES)
    assert len(set(drawn)) == len(drawn)
    assert all(picture.motif in MOTIFS and picture.palette in PALETTES for picture in PICTURES)
    assert all(item.form in FORMS and item.alt and item.description for item in ITEMS.values())
    assert all(text.cover_alt for text in texts.read(99) if text.cover)


def test_figures_in_texts_can_be_drawn_and_are_described():
    figures = [(what.split(), alt) for text in texts.read(99) for what, alt in texts.FIGURE.findall(text.body)]

    assert len(figures) >= 5
    assert all(motif in MOTIFS and palette in PALETTES and alt for (motif, palette), alt in figures)


def test_digital_goods_have_something_to_download():
    digital = [item for item in ITEMS.values() if item.digital]

    assert digital
    assert all(guide(item)[1].read().startswith(b"%PDF-") for item in digital)
