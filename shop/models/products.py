"""Categories, products, and the pictures of products."""

import secrets
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import Storage, storages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from content import markdown
from content.pictures import PictureField, discard, hide
from content.plaintext import LineField
from search import index
from shop.money import validate_price

SCARCE = 5  # so few pieces left that a buyer should know; what staff see listed is orders.sales.NEARLY_GONE
MAX_DESCRIPTION = 50_000
CARD_FIELDS = (
    *("name", "slug", "price", "stock", "is_digital"),
    *("cover__file", "cover__alt", "cover__width", "cover__height"),
)


class CategoryQuerySet(models.QuerySet["Category"]):
    def with_counts(self, *, in_stock: bool = False) -> Self:
        """
        Annotate `product_count`: how many products of the category are on show (and in stock).

        One count for each category, each out of an index; a join would read the whole table of products.
        """
        shown = Product.objects.on_show().filter(category=OuterRef("pk")).order_by()
        if in_stock:
            shown = shown.in_stock()
        number = shown.annotate(number=Func(F("pk"), function="COUNT")).values("number")
        return self.annotate(product_count=Subquery(number))


class Category(models.Model):
    name = LineField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), max_length=120, unique=True, allow_unicode=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    product_count: int  # with_counts()

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            # A product is found by its category's name too.
            index.write_many(self.products.select_related("category"))

    def get_absolute_url(self) -> str:
        return reverse("shop:product_list_by_category", args=[self.slug])

    @property
    def shown(self) -> tuple[Any, ...]:
        """Return all that the list of categories shows (`{% fragment %}`)."""
        return self.pk, self.name, self.slug, self.product_count


class ProductQuerySet(models.QuerySet["Product"]):
    def on_show(self) -> Self:
        """Products that are on show; one that is sold out still is."""
        return self.filter(is_on_show=True)

    def cards(self) -> Self:
        """Load what a list shows of a product, in one query."""
        return self.select_related("cover").only(*CARD_FIELDS)

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
            if not is_on_show:
                ProductPicture.objects.filter(product__in=chosen.on_show()).hide()
            chosen.update(is_on_show=is_on_show, updated_at=timezone.now())
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


class Product(models.Model):
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
            if not self.is_on_show and not self._state.adding:
                ProductPicture.objects.filter(product=self.pk, product__is_on_show=True).hide()
            super().save(*args, update_fields=update_fields, **kwargs)
            index.write(self)

    def get_absolute_url(self) -> str:
        return reverse("shop:product_detail", args=[self.pk, self.slug])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete what was never sold; an order's line protects its product (ProtectedError)."""
        files = list(self.pictures.values_list("file", flat=True))
        with transaction.atomic():
            index.remove(self)
            deleted = super().delete(*args, **kwargs)
            for name in files:
                discard(name)
        return deleted

    @property
    def shown(self) -> tuple[Any, ...]:
        """Return all that a card shows (`{% fragment_each %}`)."""
        cover = self.cover and (self.cover.file.name, self.cover.alt, self.cover.width, self.cover.height)
        return self.pk, self.name, self.slug, self.price, self.stock, self.is_digital, cover

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

    @property
    def is_sold_out(self) -> bool:
        return self.stock == 0

    @property
    def is_scarce(self) -> bool:
        return self.stock is not None and self.stock <= SCARCE

    @property
    def stock_words(self) -> str:
        if self.stock == 0:
            return gettext("Sold out")
        if self.stock is not None and self.stock <= SCARCE:
            return ngettext("Only %(count)s left", "Only %(count)s left", self.stock) % {"count": self.stock}
        return gettext("Ready at once") if self.is_digital else gettext("In stock")


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
