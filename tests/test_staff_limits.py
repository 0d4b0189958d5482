"""What a permission of the admin does not mean, one surprise after the other."""

from datetime import timedelta

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.models import Follow
from account.tests.factories import make_staff, make_user
from blog.models import Comment, Post
from blog.tests.factories import make_comment, make_post
from images.tests.factories import make_image
from mail.models import OutgoingMail, ProvenAddress
from orders.models import Withdrawal
from shop.models import StockAlert
from shop.tests.factories import make_product


class StaffLimits(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")

    def enter(self, *permissions):
        self.staff = make_staff("helper", *permissions)
        self.client.force_login(self.staff)

    def act(self, table, action, *rows):
        url = reverse(f"admin:{table}_changelist")
        return self.client.post(url, {"action": action, "_selected_action": [row.pk for row in rows]})

    def test_seeing_withdrawals_does_not_settle_them(self):
        row = Withdrawal.objects.create(name="Ada", email="ada@example.com", order_number="1", key="k")
        self.enter("orders.view_withdrawal")
        self.act("orders_withdrawal", "mark_handled", row)
        assert Withdrawal.objects.get().handled_at is None

        self.staff.delete()
        self.enter("orders.view_withdrawal", "orders.change_withdrawal")
        self.act("orders_withdrawal", "mark_handled", row)
        assert Withdrawal.objects.get().handled_at

    def test_staff_make_nobody_follow_anybody(self):
        self.enter("account.add_follow", "account.change_follow", "account.view_user")

        answer = self.client.post(
            reverse("admin:account_follow_add"), {"follower": self.alice.pk, "followed": self.bob.pk}
        )

        assert answer.status_code == 403
        assert not Follow.objects.exists()

    def test_seeing_posts_hands_out_no_preview_link(self):
        draft = make_post("Oak", status=Post.Status.DRAFT)
        self.enter("blog.view_post")

        page = self.client.get(reverse("admin:blog_post_change", args=[draft.pk])).text

        assert "/preview/" in page
        assert reverse("blog:post_preview", args=["x"]).partition("x/")[0] not in page
        assert "Preview link" not in page
        shown = self.client.get(reverse("admin:blog_post_preview", args=[draft.pk]))
        assert "This is a preview" in shown.text
        self.client.logout()
        assert self.client.get(reverse("admin:blog_post_preview", args=[draft.pk])).status_code == 302

    def test_a_writer_writes_in_their_own_name(self):
        self.enter("blog.add_post")
        now = timezone.localtime()
        form = {
            **{"title": "Oak", "body": "Wood", "slug": "oak", "status": "published", "author": self.alice.pk},
            **{"publish_at_0": f"{now:%Y-%m-%d}", "publish_at_1": f"{now:%H:%M:%S}", "is_open": "on"},
        }

        answer = self.client.post(reverse("admin:blog_post_add"), form)

        assert answer.status_code == 302, answer.context["adminform"].form.errors
        assert Post.objects.get().author == self.staff

    def test_an_editor_says_whose_a_post_is(self):
        post = make_post("Oak", author=self.alice)
        self.enter("blog.change_post", "blog.view_post")

        page = self.client.get(reverse("admin:blog_post_change", args=[post.pk]))

        assert "author" in page.context["adminform"].form.fields

    def test_private_pictures_are_for_their_owner_and_superusers(self):
        private = make_image(owner=self.alice, title="Diary", is_private=True)
        make_image(owner=self.alice, title="Boats")
        private.like(self.alice)
        everything = [f"images.{verb}_{name}" for verb in ("view", "change", "delete") for name in ("image", "like")]
        self.enter(*everything)

        listing = self.client.get(reverse("admin:images_image_changelist")).text
        assert "Boats" in listing
        assert "Diary" not in listing
        assert self.client.get(reverse("admin:images_image_change", args=[private.pk])).status_code == 302
        assert "Diary" not in self.client.get(reverse("admin:images_like_changelist")).text
        self.client.force_login(make_user("boss", staff=True))
        assert "Diary" in self.client.get(reverse("admin:images_image_changelist")).text

    def test_staff_do_not_say_that_a_picture_is_ready(self):
        image = make_image(owner=self.alice, title="Boats")
        type(image).objects.update(status="failed", file="")
        self.enter("images.change_image")
        url = reverse("admin:images_image_change", args=[image.pk])

        self.client.post(url, {"title": "Boats", "status": "ready", "owner": self.bob.pk})

        image.refresh_from_db()
        assert (image.status, image.owner) == ("failed", self.alice)

    def test_staff_put_words_into_nobodys_mouth(self):
        comment = make_comment(make_post("Oak"), state=Comment.State.WAITING)
        self.enter("blog.add_comment", "blog.change_comment")
        assert self.client.get(reverse("admin:blog_comment_add")).status_code == 403

        url = reverse("admin:blog_comment_change", args=[comment.pk])
        changed = {"name": "Alice", "author": self.alice.pk, "body": comment.body, "state": "approved"}
        assert self.client.post(url, changed).status_code == 302

        before = (comment.name, comment.author)
        comment.refresh_from_db()
        assert (comment.name, comment.author, comment.state) == (*before, "approved")

    def test_staff_prove_no_address_and_sign_nobody_up(self):
        self.enter(
            *("mail.add_provenaddress", "mail.change_provenaddress", "mail.view_provenaddress"),
            *("shop.add_stockalert", "shop.change_stockalert", "shop.view_product"),
        )
        product = make_product("Pen")

        for table, data in {
            "mail_provenaddress": {"email": "ada@example.com"},
            "shop_stockalert": {"email": "ada@example.com", "product": product.pk},
        }.items():
            assert self.client.post(reverse(f"admin:{table}_add"), data).status_code == 403
        assert not ProvenAddress.objects.exists()
        assert not StockAlert.objects.exists()

    def test_a_mail_is_shown_without_what_its_links_open(self):
        letter = OutgoingMail.objects.create(
            kind="x", dedup_key="x", message_id="x", to="a@example.com", subject="Thanks",
            text="Look: https://example.com/orders/abcdefgh/ and tell us.\nhttp://example.com/x?token=hij",
        )  # fmt: skip
        self.enter("mail.view_outgoingmail")

        page = self.client.get(reverse("admin:mail_outgoingmail_change", args=[letter.pk])).text

        assert "Look: https://example.com/… and tell us." in page
        assert "abcdefgh" not in page
        assert "hij" not in page

    def test_the_newest_comments_come_first(self):
        post = make_post("Oak")
        first, second = make_comment(post, name="First"), make_comment(post, name="Second")
        Comment.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=1))
        self.enter("blog.view_comment")

        rows = self.client.get(reverse("admin:blog_comment_changelist")).context["cl"].result_list

        assert list(rows) == [second, first]
