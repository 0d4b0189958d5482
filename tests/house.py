"""A site with a little of everything, whose rows change in every way that people and programs change them."""

from itertools import count

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from account.models import User
from account.tests.factories import make_user
from actions import counted_in_redis, flush
from actions.models import View
from blog.models import Comment, Post, Tag
from blog.tests.factories import make_comment, make_post
from images.models import Image
from images.tests.factories import make_image
from shop.models import BoughtTogether, Category, Product, ProductPicture
from shop.tests.factories import make_category, make_product

ODD = ["", "_ga=GA1.2.3", 'consent={"ads":false}', "foo", "a b", "foo[bar]=1", "=x", ";", 'a="', "a=b=c", "pinned2=1"]


class House:
    """The site, the people who ask, and the ways in which rows change; `chance` decides who and which."""

    def __init__(self, chance):
        self.chance, self.numbers = chance, count()
        self.alice, self.bob, self.carol = (make_user(name) for name in ("alice", "bob", "carol"))
        self.staff = make_user("staff", staff=True)
        prints, books = make_category("Prints"), make_category("Books")
        self.products = [make_product(category=category, stock=3) for category in (prints, prints, books)]
        for product in self.products:
            picture = ProductPicture.objects.create(product=product, file="products/none.jpg", width=9, height=9)
            Product.objects.filter(pk=product.pk).update(cover=picture)
        texts = [f"See [this](/shop/{product.pk}/{product.slug}/)." for product in self.products]
        self.posts = [
            make_post(f"Post {number}", author=author, tags=("oak", f"tag {number % 3}"), body=texts[number % 3])
            for number, author in enumerate([self.alice, self.bob, self.alice, self.carol] * 3)
        ]
        self.posts.append(make_post("Not yet", author=self.alice, published=False, tags=("draft",)))
        self.images = [make_image(owner=owner, is_private=private) for owner in (self.alice, self.bob, self.carol)
                       for private in (False, False, True)]  # fmt: skip
        self.people = {"visitor": "", "again a visitor": ""}
        for person in (self.alice, self.bob, self.staff):
            client = Client()
            client.force_login(person)
            name = settings.SESSION_COOKIE_NAME
            self.people[person.username] = f"{name}={client.cookies[name].value}"

    def addresses(self):
        """Return what somebody may ask for now, public or not."""
        names = ("home", "about", "blog:post_list", "blog:post_feed", "images:image_list", "images:image_ranking")
        names += ("shop:product_list", "account:user_list", "cart:cart_detail", "sitemap", "account:dashboard")
        plain = [reverse(name) for name in names]
        things = [*Post.objects.all(), *Image.objects.all(), *Product.objects.all(), *Tag.objects.all()]
        plain += [thing.get_absolute_url() for thing in [*things, *User.objects.all(), *Category.objects.all()]]
        plain += [f"{tag.get_absolute_url()}feed/" for tag in Tag.objects.all()]
        plain += [reverse("images:image_list_by_owner", args=[name]) for name in ("alice", "carol", "nobody")]
        plain += [reverse("blog:post_list_by_author", args=[name]) for name in ("alice", "carol")]
        plain += ["/sitemap-posts-1.xml", "/sitemap-images-1.xml", "/blog/?page=2", "/shop/?in_stock=1&sort=price"]
        return plain

    def cookies(self, person):
        parts = [self.chance.choice(ODD), self.people[person], self.chance.choice(ODD)]
        return "; ".join(part for part in parts if part)

    def some(self, model):
        return self.chance.choice(list(model.objects.order_by("pk")))

    # --- Changes ----------------------------------------------------------------------------------------------------

    def change(self):
        acts = [name for name in dir(self) if name.startswith("now_")]
        act = self.chance.choice(acts)
        getattr(self, act)()
        return act

    def word(self):
        return f"Word{next(self.numbers)}"

    def now_somebody_comments(self):
        make_comment(self.some(Post), body=self.word())

    def now_a_comment_is_decided(self):
        if Comment.objects.exists():
            self.some(Comment).move(self.chance.choice([Comment.State.APPROVED, Comment.State.HIDDEN]))

    def now_a_post_is_edited(self):
        post = self.some(Post)
        post.title, post.body = self.word(), f"{post.body} {self.word()}"
        post.save()

    def now_a_post_is_hidden_or_shown(self):
        post = self.some(Post)
        post.status = self.chance.choice(Post.Status.values)
        post.save()

    def now_a_tag_is_renamed(self):
        tag = self.some(Tag)
        tag.name = self.word()
        tag.save()

    def now_a_picture_is_edited(self):
        image = self.some(Image)
        image.title, image.is_private = self.word(), self.chance.random() < 0.3
        image.save()

    def now_a_picture_is_liked(self):
        image, person = self.some(Image), self.chance.choice([self.alice, self.bob])
        self.chance.choice([image.like, image.unlike])(person)

    def now_pictures_were_looked_at(self):
        for image in Image.objects.all():
            for _ in range(self.chance.randrange(4)):
                visitor, day = self.chance.randbytes(8).hex(), timezone.localdate()
                if settings.REDIS_URL:
                    counted_in_redis.count("images.image", image.pk, visitor, day)
                else:
                    View.objects.create(target_kind="images.image", target_id=image.pk, visitor=visitor, seen_on=day)
        (flush.flush_redis if settings.REDIS_URL else flush.flush_rows)()

    def now_a_price_changes(self):
        product = self.some(Product)
        Product.objects.filter(pk=product.pk).update(price=self.chance.randrange(1, 99), stock=self.chance.randrange(3))

    def now_a_product_goes_or_comes(self):
        Product.objects.filter(pk=self.some(Product).pk).update(is_on_show=self.chance.random() < 0.7)

    def now_a_products_picture_is_described(self):
        ProductPicture.objects.filter(pk=self.some(ProductPicture).pk).update(alt=self.word())

    def now_raw_sql_renames_a_product(self):
        with connection.cursor() as cursor:
            cursor.execute("/* by hand */ UPDATE shop_product SET name = %s WHERE stock > 0", [self.word()])

    def now_a_category_is_renamed(self):
        Category.objects.filter(pk=self.some(Category).pk).update(name=self.word())

    def now_two_products_are_bought_together(self):
        one, other = self.chance.sample(self.products, 2)
        BoughtTogether.objects.update_or_create(product=one, other=other, defaults={"score": self.chance.randrange(9)})

    def now_somebody_is_renamed(self):
        User.objects.filter(pk=self.some(User).pk).update(first_name=self.word())

    def now_somebody_leaves_or_comes_back(self):
        User.objects.filter(pk=self.carol.pk).update(is_active=self.chance.random() < 0.6)

    def now_one_follows_or_blocks_another(self):
        one, other = self.chance.sample([self.alice, self.bob, self.carol], 2)
        act = self.chance.choice(["follow", "unfollow", "mute", "block", "lift"])
        if act in ("follow", "unfollow"):
            getattr(User.objects.get(pk=one.pk), act)(other)
        elif act == "lift":
            one.lift_mute_or_block(other)
        else:
            one.mute_or_block(other, act)
