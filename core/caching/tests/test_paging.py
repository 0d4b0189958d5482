"""Pages of long lists: the same rows as plain slices of them, read from an index in its order wherever they are."""

import re
from datetime import date
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.test.utils import CaptureQueriesContext

from account.models import User
from account.tests.factories import make_user
from blog import paging as blog_paging
from blog.models import Post, PostTag
from blog.tests.factories import make_post
from core.caching import memory, paging
from core.caching.paging import ListPaginator
from images.models import Image
from images.paging import board, get_page
from images.tests.factories import make_image
from shop.listing import SORTS, products
from shop.models import Product
from shop.tests.factories import make_category, make_product


def pages_of(paginator):
    return [[row.pk for row in paginator.page(number)] for number in paginator.page_range]


def slices_of(rows, size):
    ids = list(rows.values_list("pk", flat=True))
    return [ids[start : start + size] for start in range(0, len(ids), size)]


class Steps:
    """Milestones after every four rows, and nothing kept from the test before."""

    def setUp(self):
        patch = mock.patch.object(paging, "STEP", 4)
        patch.start()
        self.addCleanup(patch.stop)
        memory.clear()
        self.addCleanup(memory.clear)


class ProductListTests(Steps, TransactionTestCase):  # not in a transaction, or nothing would be kept
    def setUp(self):
        super().setUp()
        self.category = make_category("Pottery")
        for number in range(23):
            make_product(f"Vase {number % 6}", category=self.category, price=5 + number % 4, stock=number % 3)

    def assert_pages_are_slices(self, sort, *, in_stock=False, of_category=False):
        rows = Product.objects.filter(**({"is_in_stock": True} if in_stock else {})).order_by(*SORTS[sort])
        listing = products(sort, in_stock=in_stock, category=self.category.pk if of_category else None)
        assert pages_of(ListPaginator(listing, rows.count(), 3)) == slices_of(rows, 3)

    def test_every_page_of_every_order_is_that_slice_of_the_list(self):
        for sort in SORTS:
            for in_stock in (False, True):
                for of_category in (False, True):
                    for _ in range(2):  # found, and from what was kept
                        with self.subTest(sort=sort, in_stock=in_stock, of_category=of_category):
                            self.assert_pages_are_slices(sort, in_stock=in_stock, of_category=of_category)

    def test_kept_places_are_forgotten_when_a_row_comes_or_goes(self):
        self.assert_pages_are_slices("price")

        Product.objects.order_by("price", "id").first().delete()
        make_product("Vase", category=self.category, price=1)
        make_product("Vase", category=self.category, price=99)

        self.assert_pages_are_slices("price")

    def test_no_page_has_many_rows_skipped_and_never_those_of_the_farther_end(self):
        paginator = ListPaginator(products("name", in_stock=False), 23, 3)
        pages_of(paginator)  # finds the milestones
        for number in paginator.page_range:
            with CaptureQueriesContext(connection) as asked:
                paginator.page(number)
            (skipped,) = [int(re.search(r"OFFSET (\d+)|$", query["sql"])[1] or 0) for query in asked]
            before, behind = 3 * (number - 1), max(23 - 3 * number, 0)
            assert skipped <= min(4, before, behind), number

    def test_an_empty_list_has_one_empty_page_that_asks_nothing(self):
        with self.assertNumQueries(0):
            assert ListPaginator(products("name", in_stock=False), 0, 3).page(1).object_list == []

    def test_odd_page_numbers_are_the_first_or_the_last(self):
        paginator = ListPaginator(products("name", in_stock=False), 23, 3)

        for typed, number in [("x", 1), ("-1", 8), ("99999", 8), (None, 1), ("", 1)]:
            assert paginator.get_page(typed).number == number


class PostListTests(Steps, TransactionTestCase):
    def test_every_page_is_that_slice_of_the_list(self):
        author = make_user("ada")
        for number in range(19):
            make_post(f"Post {number}", author=author, tags=("oak",))
        tag = PostTag.objects.first().tag_id
        expected = slices_of(Post.objects.order_by("-publish_at", "-pk"), 2)

        for listing in [
            blog_paging.posts(),
            blog_paging.posts_of_a_tag(tag),
            blog_paging.posts_of_an_author(author.pk),
            blog_paging.posts_of_a_period(date(2000, 1, 1), date(2100, 1, 1)),
        ]:
            for _ in range(2):
                assert pages_of(ListPaginator(listing, 19, 2)) == expected


class BoardTests(Steps, TransactionTestCase):
    def test_every_page_of_the_board_is_that_slice_of_it(self):
        muted, member = make_user("muted"), make_user("member")
        member.mute_or_block(muted, "mute")
        for number in range(17):
            make_image(**({"owner": muted} if number % 5 == 0 else {}))

        for viewer, hidden in ((AnonymousUser(), ()), (member, (muted.pk,))):
            expected = slices_of(Image.objects.exclude(owner__in=hidden).order_by("-pk"), 2)
            for number, ids in enumerate(expected, 1):
                assert [row.pk for row in get_page(board(viewer), str(number), 2).object_list] == ids
            assert get_page(board(viewer), "9999", 2).number == len(expected)


class TagTests(TestCase):
    def test_posts_of_a_tag_follow_what_becomes_of_them(self):
        post = make_post("Oak", tags=("oak",))
        tag = PostTag.objects.get().tag_id
        assert PostTag.objects.newest(tag).exists()

        post.status = Post.Status.DRAFT
        post.save()
        assert not PostTag.objects.newest(tag).exists()

        post.tags.set(["oak", "ash"])
        post.status = Post.Status.PUBLISHED
        post.save()
        assert PostTag.objects.filter(is_published=True).count() == 2


def explained(rows) -> str:
    """Return the plan for the ids of a page. With few rows PostgreSQL reads the table instead, unless it may not."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_incremental_sort"):
                cursor.execute(f"SET LOCAL {setting} = off")
        else:
            # What an earlier test's sweep learnt of almost empty tables: that reading them whole is quicker.
            cursor.execute("ANALYZE")
            cursor.execute("DELETE FROM sqlite_stat1")
            cursor.execute("ANALYZE sqlite_schema")
    return rows.values("pk")[24:48].explain()


def product_lists():
    for sort, ordering in SORTS.items():
        for filters in ({}, {"category": 1}, {"is_in_stock": True}, {"category": 1, "is_in_stock": True}):
            yield (
                f"product_{sort}_{'_'.join(filters)}",
                Product.objects.on_show().filter(**filters).order_by(*ordering),
            )


LISTS = {
    **dict(product_lists()),
    "posts": Post.objects.filter(status="published").newest_first(),
    "posts_of_an_author": Post.objects.filter(status="published").by(1).newest_first(),
    "posts_of_a_tag": PostTag.objects.filter(tag_id=1, is_published=True).order_by("-publish_at", "-content_object_id"),
    "images": Image.objects.public().order_by("-pk"),
    "people": User.objects.people().order_by("-pk"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("is_backwards", [False, True])
def test_rows_before_a_page_are_skipped_on_an_index_in_its_order(name, is_backwards):
    rows = LISTS[name].all()
    plan = explained(rows.reverse() if is_backwards else rows)

    assert "INDEX" in plan or "Index" in plan, plan
    assert not any(sign in plan for sign in ("TEMP B-TREE", "Sort", "Seq Scan on shop", "Seq Scan on blog")), plan
