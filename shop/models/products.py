"""Categories, products, and the pictures of products."""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import starmap
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import Storage, storages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Exists, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from content import markdown
from content.pictures import PictureField, discard, hide
from content.plaintext import LineField
from core.web.links import path_to
from search import index
from shop.money import validate_price

from . import cards

MAX_DESCRIPTION = 50_000
PAGE_FIELDS = (
    *("name", "slug", "description_html", "price", "vat_rate", "stock", "is_digital", "cover"),
    *("category__name", "category__slug"),
)


class CategoryQuerySet(models.QuerySet["Category"]):
    def with_counts(self, *, in_stock: bool = False) -> Self:
        """Annotate `product_count`: how many products of the category are on show (and in stock)."""
        if not in_stock:
            return self.annotate(product_count=F("shown_count"))
        # Only those that are sold out are counted, in an index that has no others.
        gone = Product.objects.on_show().filter(category=OuterRef("pk"), is_in_stock=False).order_by()
        number = gone.annotate(number=Func(F("pk"), function="COUNT")).values("number")
        return self.annotate(product_count=F("shown_count") - Subquery(number))

    def add_shown(self, steps: Mapping[int, int]) -> None:
        """Add to the numbers of products on show; in one order, so that two writers never wait for each other."""
        for category, step in sorted(steps.items()):
            self.filter(pk=category).update(shown_count=F("shown_count") + step)


class Category(models.Model):
    name = LineField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), max_length=120, unique=True, allow_unicode=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    # How many of its products are on show: kept by their verbs, and looked at by shop/counts.py.
    shown_count = models.IntegerField(editable=False, default=0, db_default=0)
    product_count: int  # with_counts()

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Write the category, but the number of its products only when it is new."""
        if update_fields is None and not self._state.adding:
            update_fields = {"name", "slug", "description"} - self.get_deferred_fields()
        with transaction.atomic():
            super().save(*args, update_fields=update_fields, **kwargs)
            # A product is found by its category's name too.
            index.write_many(self.products.select_related("category"))

    def get_absolute_url(self) -> str:
        return path_to("shop:product_list_by_category", self.slug)


class ProductQuerySet(models.QuerySet["Product"]):
    def on_show(self) -> Self:
        """Products that are on show; one that is sold out still is."""
        return self.filter(is_on_show=True)

    def cards(self) -> list[cards.Card]:
        """Ask for what a list shows of these, in one query."""
        return list(starmap(cards.card, self.values_list(*cards.columns())))

    def pages(self) -> Self:
        """Load what the page of a product shows, and `has_companions`: whether it was ever bought with another."""
        pairs = apps.get_model("shop", "BoughtTogether").objects.filter(product=OuterRef("pk"))
        return self.select_related("category").only(*PAGE_FIELDS).annotate(has_companions=Exists(pairs))

    def in_stock(self) -> Self:
        return self.filter(is_in_stock=True)

    def show(self) -> None:
        """Put these on show."""
        self._set_on_show(is_on_show=True)

    def hide(self) -> None:
        """Take these off show; carts drop them, orders keep them."""
        self._set_on_show(is_on_show=False)

    def _set_on_show(self, *, is_on_show: bool) -> None:
        with transaction.atomic():
            ids = list(self.values_list("pk", flat=True))
            chosen = Product.objects.filter(pk__in=ids)
            turned = chosen.select_for_update().filter(is_on_show=not is_on_show).order_by("pk")
            steps = Counter(turned.values_list("category", flat=True))
            if not is_on_show:
                ProductPicture.objects.filter(product__in=chosen.on_show()).hide()
                steps = Counter({category: -number for category, number in steps.items()})
            chosen.update(is_on_show=is_on_show, updated_at=timezone.now())
            Category.objects.add_shown(steps)
            index.write_many(chosen.select_related("category"))

    def take(self, product_id: int, quantity: int) -> bool:
        """
        Take pieces out of the stock and return True, or change nothing and return False when there are too few.

        One guarded UPDATE, so that parallel buyers cannot take the same piece. Whoever takes several products in one
        transaction goes by ascending id, or two buyers may wait for each other.
        """
        enough = Q(stock__isnull=True) | Q(stock__gte=quantity)
        return self.filter(enough, pk=product_id, is_on_show=True).update(stock=F("stock") - quantity) == 1

    def give_back(self, product_id: int, quantity: int) -> None:
        """Put pieces back that were taken; an unlimited stock stays unlimited."""
        self.filter(pk=product_id, stock__isnull=False).update(stock=F("stock") + quantity)

    def restock(self, product_id: int, *, seen: int | None, counted: int | None) -> None:
        """
        Set the stock to what somebody counted, who had seen it at another number.

        Between two numbers it is the difference that is applied, so that what was sold since they looked stays sold.
        """
        if seen is None or counted is None:
            self.filter(pk=product_id).update(stock=counted)
        else:
            self.filter(pk=product_id).update(stock=Greatest(F("stock") + (counted - seen), 0))


def private_storage() -> Storage:
    return storages["private"]


def download_name(product: "Product", filename: str) -> str:
    """Return where a product's file is kept; its name is what the buyer's browser will call it."""
    return f"downloads/{secrets.token_hex(8)}/{filename}"


class Product(cards.Told, models.Model):
    """Something for sale. A `stock` of NULL means unlimited; it never falls below zero (the database refuses)."""

    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, related_name="products", verbose_name=_("category")
    )
    name = LineField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=200, allow_unicode=True)
    description = models.TextField(_("description"), blank=True, max_length=MAX_DESCRIPTION, help_text=_("Markdown."))
    description_html = models.TextField(editable=False, blank=True)
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=3, validators=[validate_price], help_text=_("VAT included.")
    )
    vat_rate = models.DecimalField(
        _("VAT rate"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("0"),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("In percent."),
    )
    stock = models.PositiveIntegerField(_("stock"), null=True, blank=True, help_text=_("Empty: unlimited."))
    # Made by the database. In the indexes instead of `stock`: that one changes with every sale, this one seldom.
    is_in_stock = models.GeneratedField(
        expression=Q(stock__isnull=True) | Q(stock__gt=0),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )
    is_on_show = models.BooleanField(_("on show"), default=True, db_column="available")  # its name before 0.2
    is_digital = models.BooleanField(_("digital"), default=False, help_text=_("Nothing is sent by post."))
    # Handed out by the orders that were paid (orders.views.order_download), from a place no address leads to.
    download = models.FileField(
        _("file to download"), storage=private_storage, upload_to=download_name, blank=True, max_length=250
    )
    weight = models.PositiveIntegerField(_("weight"), default=0, help_text=_("Grams."))
    # The first picture, kept here so that a list of products reads it in the same query.
    cover = models.ForeignKey(
        "ProductPicture", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    _rendered = ("", "")
    has_companions: bool  # pages()

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(stock__gte=0), name="product_stock_not_negative"),
            models.CheckConstraint(condition=Q(price__gt=0), name="product_price_positive"),
        ]
        indexes = [
            # One for each order in which the list can be read, of all categories and of one; the last column lets
            # what is sold out be left out without looking at its row.
            *(
                models.Index(fields=[*of, *order, "is_in_stock"], condition=Q(is_on_show=True), name=f"product_{name}")
                for of, order, name in [
                    ([], ["-id"], "list_newest"),
                    ([], ["price", "id"], "list_by_price"),
                    ([], ["name", "id"], "list_by_name"),
                    (["category"], ["-id"], "category_newest"),
                    (["category"], ["price", "id"], "category_by_price"),
                    (["category"], ["name", "id"], "category_by_name"),
                ]
            ),
            models.Index(
                fields=["category"], condition=Q(is_on_show=True, is_in_stock=False), name="product_category_sold_out"
            ),
        ]
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """
        Write the product, its rendered description and its entry in the search index; raise markdown.Refused.

        The stock and the cover of a product that exists are left alone: they move by verbs (take, restock,
        choose_cover), and a copy loaded a minute ago would undo what was sold since.
        """
        if update_fields is None or "description" in update_fields:
            self.description_html = self._render()
        if update_fields is None and not self._state.adding:
            ours = {field.name for field in self._meta.concrete_fields if not field.primary_key}
            update_fields = ours - {"stock", "is_in_stock", "cover"} - self.get_deferred_fields()
        elif update_fields:
            update_fields = {*update_fields, "description_html", "updated_at"}
        with transaction.atomic():
            was = self._counted_in()
            if not self.is_on_show and not self._state.adding:
                ProductPicture.objects.filter(product=self.pk, product__is_on_show=True).hide()
            super().save(*args, update_fields=update_fields, **kwargs)
            self._count(was)
            index.write(self)

    def _counted_in(self) -> int | None:
        """Return the category that counts the product among those on show, and let nobody else change that now."""
        row = Product.objects.select_for_update().filter(pk=self.pk).values_list("is_on_show", "category").first()
        return row[1] if row and row[0] else None

    def _count(self, was: int | None) -> None:
        now = self._counted_in()
        if was != now:
            Category.objects.add_shown({category: step for category, step in ((was, -1), (now, 1)) if category})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete what was never sold; an order's line protects its product (ProtectedError)."""
        files = list(self.pictures.values_list("file", flat=True))
        with transaction.atomic():
            index.remove(self)
            was = self._counted_in()
            deleted = super().delete(*args, **kwargs)
            Category.objects.add_shown({was: -1} if was else {})
            for name in files:
                discard(name)
        return deleted

    @property
    def summary(self) -> str:
        """The description's beginning as plain text, for search results and link previews."""
        return Truncator(" ".join(strip_tags(self.description_html).split())).chars(160)

    def clean(self) -> None:
        if self.download and not self.is_digital:
            raise ValidationError({"is_digital": _("A product with a file to download is a digital one.")})
        try:
            self._render()
        except markdown.Refused:
            raise ValidationError({"description": _("This Markdown takes too long to turn into a page.")}) from None

    def _render(self) -> str:
        """Render the description, once for clean() and save() together."""
        if self._rendered[0] != self.description:
            own_places = (f"{settings.SITE_URL}/", *([settings.MEDIA_URL] if "://" in settings.MEDIA_URL else []))
            self._rendered = self.description, markdown.render(self.description, own_places=own_places)
        return self._rendered[1]


class ProductPictureQuerySet(models.QuerySet["ProductPicture"]):
    def hide(self) -> None:
        """Take the files from the addresses at which everybody could read them; inside a transaction."""
        for picture in self.select_for_update(of=("self",)).order_by("pk"):
            ProductPicture.objects.filter(pk=picture.pk).update(file=hide(str(picture.file)))


class ProductPicture(models.Model):
    """One picture of a product's gallery; the first by position is the product's cover."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="pictures")
    file = PictureField(_("picture"), upload_to="products", width_field="width", height_field="height")
    alt = LineField(_("description for people who do not see it"), max_length=200)
    width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = ProductPictureQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return self.alt

    def save(self, *args: Any, **kwargs: Any) -> None:
        before = ProductPicture.objects.filter(pk=self.pk).values_list("file", flat=True).first() if self.pk else None
        with transaction.atomic():
            super().save(*args, **kwargs)
            choose_cover(self.product_id)
            if before and before != str(self.file):
                discard(before)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            deleted = super().delete(*args, **kwargs)
            discard(str(self.file))
            choose_cover(self.product_id)
        return deleted


def choose_cover(product_id: int) -> None:
    """Make the first picture by position the product's cover; call after pictures came, went or moved."""
    first = ProductPicture.objects.filter(product=product_id).order_by("position", "id")[:1]
    Product.objects.filter(pk=product_id).update(cover=Subquery(first.values("pk")))
