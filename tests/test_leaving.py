"""A member who leaves, seen across all apps; each app's share is in its personal_data.py."""

from django.core.files.storage import default_storage
from django.test import TestCase

from account.leaving import leave
from account.tests.factories import make_user
from blog.models import Comment
from blog.tests.factories import make_comment, make_post
from cart.models import SavedCart
from images.models import Image
from images.tests.factories import make_image
from orders.guest_orders import orders_of
from orders.models import Order
from orders.tests.factories import make_order


class LeavingTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")

    def leave(self):
        with self.captureOnCommitCallbacks(execute=True):
            leave(self.bob)

    def test_pictures_and_files_go_and_likes_are_taken_back(self):  # D24
        kept, gone = make_image(owner=self.alice), make_image(owner=self.bob, stored=True)
        kept.like(self.bob)

        self.leave()

        kept.refresh_from_db()
        assert kept.total_likes == 0
        assert list(Image.objects.all()) == [kept]
        assert not default_storage.exists(gone.file.name)

    def test_comments_stay_without_a_name(self):
        make_comment(make_post(), author=self.bob, name="Bob", email="bob@example.com")

        self.leave()

        comment = Comment.objects.get()
        assert (comment.author, comment.name) == (None, "Former member")
        assert "bob" not in comment.email

    def test_orders_stay_as_they_were_with_the_nameless_row(self):
        order = make_order(buyer=self.bob)

        self.leave()

        after = Order.objects.get(pk=order.pk)
        assert after.buyer == self.bob
        assert (after.first_name, after.address, after.total) == (order.first_name, order.address, order.total)

    def test_next_owner_of_the_address_gets_none_of_the_orders(self):
        address = self.bob.email
        make_order(buyer=self.bob, email=address)
        make_order(buyer=None, email=address.upper())

        self.leave()

        assert not orders_of(make_user("next", email=address)).exists()
        assert Order.objects.filter(buyer=self.bob).count() == 2

    def test_saved_cart_goes(self):
        SavedCart.objects.create(owner=self.bob, items={"1": {"quantity": 2}})

        self.leave()

        assert not SavedCart.objects.exists()
