"""What is no longer public is gone everywhere with the next request: pages, lists, feeds, search, sitemap, stream."""

import re
from datetime import timedelta

from django.test import Client, TransactionTestCase
from django.urls import reverse
from django.utils import timezone

from account.leaving import leave
from account.tests.factories import make_user
from actions.models import Action, ViewCount
from blog.models import Comment, Post
from blog.tests.factories import make_comment, make_post
from core.caching.tests.test_pages import Site, the_tests_own_connection  # noqa: F401 - used by every test here
from images.models import Image
from images.tests.factories import make_image
from shop.models import BoughtTogether
from shop.tests.factories import make_category, make_product

WORD = "Zanzibar"  # stands in every name; searches ask for it


class StaysPublicTests(TransactionTestCase):
    def setUp(self):
        self.site = Site()
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.bob.follow(self.alice)
        self.image = make_image(owner=self.alice, title=f"{WORD} harbour", description="A quay.")
        ViewCount.objects.create(target_kind="images.image", target_id=self.image.pk, views=9)
        Action.objects.record(self.alice, Action.Verb.BOOKMARKED, self.image)
        category = make_category("Prints")
        self.product = make_product(f"{WORD} print", category=category, stock=3, slug="zanzibar-print")
        self.other = make_product("A frame", category=category, stock=3)
        BoughtTogether.objects.create(product=self.other, other=self.product, score=5)
        link = f"See [it](/shop/{self.product.pk}/{self.product.slug}/)."
        self.post = make_post(f"{WORD} diary", author=self.alice, tags=("sea",), body=link)
        self.neighbour = make_post("Neighbour", tags=("sea",), body=link)
        self.comment = make_comment(self.post, name="Guest of Zanzibar", body="A remark by the sea")

    # --- Where things are shown -------------------------------------------------------------------------------------

    def addresses(self):
        on = self.post.publish_on
        lists = [reverse(name) for name in ("home", "blog:post_list", "blog:post_feed", "images:image_list")]
        lists += [reverse(name) for name in ("images:image_ranking", "shop:product_list", "account:user_list")]
        lists += ["/blog/tag/sea/", "/blog/tag/sea/feed/", "/blog/author/alice/", f"/blog/{on.year}/"]
        lists += ["/images/by/alice/", self.other.category.get_absolute_url(), "/account/users/alice/"]
        things = [self.post, self.neighbour, self.image, self.product, self.other]
        searches = [f"/search/?q={WORD}", f"/blog/search/?query={WORD}"]
        return [*lists, *(thing.get_absolute_url() for thing in things), *searches, *self.sitemaps()]

    def sitemaps(self):
        index = self.site.get("/sitemap.xml")["body"].decode()
        return re.findall(r"<loc>https?://[^/]+(/[^<]+)</loc>", index)

    def shown_at(self, words):
        """Return where a visitor, and a member who follows, find one of the words."""
        member = Client()
        member.force_login(self.bob)
        pages = {address: self.site.get(address)["body"].decode() for address in {*self.addresses(), *self.before}}
        mine = [reverse(name) for name in ("account:dashboard", "home", "images:image_list", "account:user_list")]
        mine += [f"/search/?q={WORD}", self.post.get_absolute_url(), self.product.get_absolute_url()]
        pages |= {f"member: {address}": member.get(address).content.decode() for address in mine}
        return {address for address, page in pages.items() if any(word in page for word in words)}

    before: tuple[str, ...] = ()

    def check(self, act, *words, least, left=()):
        """Check that the words are in so many places, and after the act nowhere but in those that are `left`."""
        self.before = tuple(self.addresses())
        seen = self.shown_at(words)
        assert len(seen) >= least, seen
        act()
        assert self.shown_at(words) <= set(left)

    # --- What happens -----------------------------------------------------------------------------------------------

    def save(self, thing, **fields):
        for name, value in fields.items():
            setattr(thing, name, value)
        thing.save()

    def test_a_picture_made_private(self):
        self.check(lambda: self.save(self.image, is_private=True), *self.names(self.image), least=10)

    def test_a_picture_deleted(self):
        self.check(Image.objects.get(pk=self.image.pk).remove, *self.names(self.image), least=10)

    def test_a_post_unpublished(self):
        self.check(lambda: self.save(self.post, status=Post.Status.DRAFT), *self.names(self.post), least=12)

    def test_a_post_put_off(self):
        later = timezone.now() + timedelta(days=9)
        self.check(lambda: self.save(self.post, publish_at=later), *self.names(self.post), least=12)

    def test_a_post_deleted(self):
        self.check(self.post.delete, *self.names(self.post), least=12)

    def test_a_product_taken_off_the_shop(self):
        self.check(lambda: self.save(self.product, is_on_show=False), *self.product_names(), least=8, left=self.texts())

    def test_a_comment_hidden(self):
        self.check(lambda: self.comment.move(Comment.State.HIDDEN), self.comment.body, least=2)

    def test_a_comment_deleted(self):
        self.check(self.comment.delete, self.comment.body, least=2)

    def test_a_person_switched_off(self):
        self.check(
            lambda: self.save(self.alice, is_active=False), *self.names(self.image), "/account/users/alice/", least=10
        )

    def test_a_person_who_leaves(self):
        self.check(lambda: leave(self.alice), *self.names(self.image), "/account/users/alice/", "Alice", least=10)

    def test_a_person_who_is_blocked_is_gone_for_who_blocked_them(self):
        self.before = tuple(self.addresses())
        words = self.names(self.image)
        assert f"member: {reverse('account:dashboard')}" in self.shown_at(words)

        self.bob.mute_or_block(self.alice, "block")

        seen = {address for address in self.shown_at(words) if address.startswith("member")}
        assert seen == set()

    def names(self, thing):
        return str(thing.title), thing.get_absolute_url()

    def product_names(self):
        return self.product.name, self.product.get_absolute_url()

    def texts(self):
        """Return the pages whose text an author has written, which still links to the product."""
        pages = [self.post.get_absolute_url(), self.neighbour.get_absolute_url(), "/blog/feed/", "/blog/tag/sea/feed/"]
        return [*pages, f"member: {self.post.get_absolute_url()}"]
