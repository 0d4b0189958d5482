"""
Fill an empty site: pictures first, then a year of its life played back in order, in one transaction.

Everything goes through the verbs that the site itself uses, so that counts, search and stream agree with the rows;
only the clock is turned back afterwards. The stream is ordered by id, which is why the year is played in order.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.text import slugify

from account.models import User
from account.registration import welcome
from actions.models import Action, ViewCount
from blog.models import Comment, Post
from content.pictures import StoredPicture
from content.templatetags.pictures import thumbnail_url
from images.models import Image
from orders.models import Order
from search import index
from shop.models import Category, Product, ProductPicture

from . import drawing, removing, texts, trade
from .catalogue import CATALOGUE, Item
from .guide import guide
from .people import DOMAIN, MEMBER, PASSWORD, PEOPLE, STAFF, Person
from .pinboard import PICTURES, Saved

Event = tuple[datetime, Callable[[], Any]]
Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Size:
    """How much of everything; tests take a little."""

    posts: int = 40
    pictures: int = 60
    products: int = 30
    orders: int = 50


@dataclass
class Plan:
    """What is read from the modules beside this one before anything is written."""

    size: Size
    now: datetime = field(default_factory=timezone.now)
    rng: random.Random = field(default_factory=lambda: random.Random(1961))  # noqa: S311 - the same site each time

    def __post_init__(self) -> None:
        self.texts = texts.read(self.size.posts)
        self.saved = PICTURES[: self.size.pictures]
        self.goods: list[tuple[str, Item]] = _spread(CATALOGUE)[: self.size.products]

    def jobs(self) -> list[drawing.Job]:
        return [
            *(drawing.face(person, number) for number, person in enumerate(PEOPLE)),
            *(drawing.good(item, number) for number, (_category, item) in enumerate(self.goods)),
            *(drawing.cover(text.title, text.cover, n) for n, text in enumerate(self.texts) if text.cover),
            *(drawing.figure(text.title, what) for text in self.texts for what in text.figures),
            *(drawing.saved(picture, number) for number, picture in enumerate(self.saved)),
        ]

    def ago(self, days: float) -> datetime:
        """Return a moment some days ago, at an hour at which people are awake."""
        moment = self.now - timedelta(days=days)
        moment = moment.replace(hour=self.rng.randint(8, 19), minute=self.rng.randint(0, 59))
        return moment if days < 0 else min(moment, self.now - timedelta(minutes=self.rng.randint(20, 90)))


def _spread(catalogue: dict[str, list[Item]]) -> list[tuple[str, Item]]:
    """Return the goods in turn from each category, so that the first few are not all notebooks."""
    rows = [(place, name, item) for name, items in catalogue.items() for place, item in enumerate(items)]
    return [(name, item) for _place, name, item in sorted(rows, key=lambda row: row[0])]


def is_empty() -> bool:
    """A site that anybody has begun to use is left alone."""
    return not (User.objects.exists() or Post.objects.exists() or Product.objects.exists() or Order.objects.exists())


def fill(plan: Plan, progress: Progress) -> None:
    """Fill the site; `progress(things, what)` passes the things on one by one and may show how far it is."""
    jobs = plan.jobs()
    drawings = dict(progress(drawing.draw(jobs), "Drawing", len(jobs)))
    with transaction.atomic():
        filling = Filling(plan, drawings)
        events = sorted(filling.events(), key=lambda event: event[0])
        for when, event in progress(events, "Writing", len(events)):
            filling.at(when, event)
        filling.finish()
        removing.note_content()


class Filling:
    """The people and goods exist from the start; what they did is a list of events, each with its moment."""

    def __init__(self, plan: Plan, drawings: drawing.Drawings) -> None:
        self.plan, self.rng, self.drawings = plan, plan.rng, drawings
        self.people = {person.username: self._person(person) for person in PEOPLE}
        self.by_first_name = {person.first_name: person for person in self.people.values()}
        self.products: dict[str, Product] = {}
        self._goods()
        trade.open_shop()

    def events(self) -> list[Event]:
        return [
            *self._joining(),
            *self._following(),
            *(event for text in self.plan.texts for event in self._publishing(text)),
            *(event for number, picture in enumerate(self.plan.saved) for event in self._saving(number, picture)),
            *trade.events(self.plan, list(self.people.values()), self.products),
        ]

    def at(self, when: datetime, event: Callable[[], Any]) -> None:
        """Do something, and date the lines of the stream that it wrote."""
        last = Action.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        event()
        Action.objects.filter(pk__gt=last).update(created_at=when)

    def finish(self) -> None:
        index.write_many(self.people.values())
        looked_at = [*Post.objects.published(), *Image.objects.public()]
        ViewCount.objects.bulk_create(self._views(thing) for thing in looked_at)

    def _views(self, thing: Model) -> ViewCount:
        """A plausible number of visitors: few things are looked at by many."""
        views = int(self.rng.paretovariate(1.2) * 40) % 2400
        return ViewCount(target_kind=thing._meta.label_lower, target_id=thing.pk, views=views)

    # --- People ----------------------------------------------------------------------------------------------------

    def _person(self, person: Person) -> User:
        is_staff = person.username == STAFF
        joined = self.plan.now - YEAR - timedelta(days=self.rng.randint(10, 300))
        user = User(
            username=person.username,
            first_name=person.first_name,
            last_name=person.last_name,
            email=f"{person.username}{DOMAIN}",
            password=self._password(person),
            bio=person.bio,
            date_joined=joined,
            is_staff=is_staff,
            is_superuser=is_staff,
        )
        _show(user, "photo", self.drawings[f"person {person.username}"])
        user.save()
        user.prove_email()
        return user

    def _password(self, person: Person) -> str:
        return make_password(PASSWORD if person.username in (MEMBER, STAFF) else None)

    def _joining(self) -> Iterator[Event]:
        for user in self.people.values():
            yield user.date_joined, partial(welcome, user)

    def _following(self) -> Iterator[Event]:
        for user in self.people.values():
            others = [other for other in self.people.values() if other != user]
            for other in self.rng.sample(others, self.rng.randint(3, 6)):
                yield self.plan.ago(self.rng.uniform(1, 360)), partial(user.follow, other)

    # --- Blog ------------------------------------------------------------------------------------------------------

    def _publishing(self, text: texts.Text) -> Iterator[Event]:
        post = Post(
            title=text.title,
            body=text.body_with(self._link, partial(self._figure, text.title)),
            author=self.people[text.author],
            status=text.status,
            publish_at=self.plan.ago(text.days),
            cover_alt=text.cover_alt,
        )
        if text.cover:
            _show(post, "cover", self.drawings[f"cover {text.title}"])
        yield min(post.publish_at, self.plan.now), lambda: self._publish(post, text.tags)
        written = post.publish_at
        for name, words in text.comments:
            written = min(written + timedelta(hours=self.rng.uniform(1, 30)), self.plan.now - timedelta(minutes=5))
            yield written, self._commenting(post, name, words, written)

    def _publish(self, post: Post, tags: Iterable[str]) -> None:
        post.save()
        post.tags.set(tags)

    def _link(self, name: str) -> str:
        product = self.products.get(name)
        return f"[{name}]({product.get_absolute_url()})" if product else name

    def _figure(self, title: str, what: str, alt: str) -> str:
        stored = self.drawings[f"figure {title} {what}"]
        address = thumbnail_url(stored.name, "wide_small")
        return f'<img src="{address}" alt="{alt}" width="{stored.width}" height="{stored.height}">'

    def _commenting(self, post: Post, name: str, words: str, when: datetime) -> Callable[[], None]:
        author = self.by_first_name[name]
        comment = Comment(
            author=author, name=name, email=author.email, body=words, state=Comment.State.APPROVED, created_at=when
        )

        def write() -> None:
            comment.post = post
            comment.save()

        return write

    # --- Pinboard --------------------------------------------------------------------------------------------------

    def _saving(self, number: int, picture: Saved) -> Iterator[Event]:
        people = list(self.people.values())
        owner = people[number % len(people)]
        stored = self.drawings[f"picture {picture.title}"]
        image = Image(
            owner=owner,
            title=picture.title,
            alt=picture.alt,
            page_url=picture.origin,
            digest=stored.digest,
            status=Image.Status.READY,
        )
        _show(image, "file", stored)
        saved_at = self.plan.ago(self.rng.uniform(0.2, 300))
        yield saved_at, lambda: self._save(image, saved_at)
        fans = [person for person in people if person != owner]
        for fan in self.rng.sample(fans, min(int(self.rng.paretovariate(0.9)), len(fans))):
            liked_at = saved_at + (self.plan.now - saved_at) * self.rng.random() ** 2
            yield liked_at, partial(image.like, fan)

    def _save(self, image: Image, when: datetime) -> None:
        image.save()
        Image.objects.filter(pk=image.pk).update(created_at=when)
        image.created_at = when
        index.write(image)
        Action.objects.record(image.owner, Action.Verb.BOOKMARKED, image)

    # --- Shop ------------------------------------------------------------------------------------------------------

    def _goods(self) -> None:
        categories: dict[str, Category] = {}
        # The oldest first: what stands at the top of each category is the newest in the shop.
        for category, item in reversed(self.plan.goods):
            if category not in categories:
                categories[category] = Category.objects.create(name=category, slug=slugify(category))
            self.products[item.name] = self._product(categories[category], item)

    def _product(self, category: Category, item: Item) -> Product:
        product = Product.objects.create(
            category=category,
            name=item.name,
            slug=slugify(item.name),
            description=item.description,
            price=Decimal(item.price),
            vat_rate=Decimal(item.vat),
            stock=item.stock,
            is_digital=item.digital,
            weight=item.weight,
        )
        if item.digital:
            product.download.save(*guide(item))
        picture = ProductPicture(product=product, alt=item.alt)
        _show(picture, "file", self.drawings[f"product {item.name}"])
        picture.save()
        return product


def _show(row: Any, name: str, stored: StoredPicture) -> None:
    """Hang a picture that is stored already on a row that is not saved yet."""
    file = row._meta.get_field(name)
    setattr(row, name, stored.name)
    setattr(row, file.width_field, stored.width)
    setattr(row, file.height_field, stored.height)
