from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.forms import DecimalField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from content.templatetags.pictures import thumbnail_url
from core.jobs import background
from core.staff.longtables import INDEXED, Sought
from core.staff.modeladmin import StaffAdmin
from core.staff.readonly import ReadOnly, Unwritable
from search import engines

from . import money
from .goods import is_what_it_says
from .models import Basket, BoughtTogether, Category, Product, ProductPicture, ProductQuerySet, StockAlert

OF_AMOUNTS = 3  # decimals of the columns that hold them, whatever the currency


class PriceField(DecimalField):
    """Shows as many decimals as the currency has; the column keeps three for the currencies that need them."""

    def prepare_value(self, value: Any) -> Any:
        return money.quantize(value) if isinstance(value, Decimal) else value


class Prices:
    """For an admin of rows with amounts in the shop's currency, in front of ModelAdmin."""

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, models.DecimalField) and db_field.decimal_places == OF_AMOUNTS:
            kwargs["form_class"] = PriceField
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]


def price_column(field: str, description: Any) -> Callable[[Any, Any], str | None]:
    """Return a column that shows an amount of the shop's currency as people write it."""

    @admin.display(description=description, ordering=field, empty_value="-")
    def column(_admin: Any, row: Any) -> str | None:
        amount = getattr(row, field)
        return None if amount is None else money.money(amount)

    return column


@admin.register(Category)
class CategoryAdmin(StaffAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


class PictureInline(admin.TabularInline):
    model = ProductPicture
    extra = 1
    fields = ["preview", "file", "alt", "position"]
    readonly_fields = ["preview"]

    @admin.display(description=_lazy("preview"))
    def preview(self, picture: ProductPicture) -> str:
        return small(picture)


class ReadOrChange(admin.SimpleListFilter):
    """
    Shows the list to be read or, on request, as a form.

    A page of fields costs three times as much and is seldom wanted, and in one to be read nothing is changed by mistake.
    """

    title = _lazy("purpose")
    parameter_name = "change"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        may_change = model_admin.has_change_permission(request)
        return [("here", _lazy("To change prices and stock"))] if may_change else []

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        to_read, *others = super().choices(changelist)
        yield {**to_read, "display": _("To read")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Product]) -> models.QuerySet[Product]:
        return queryset


def is_form(request: HttpRequest) -> bool:
    return ReadOrChange.parameter_name in request.GET or "_save" in request.POST


class ListToRead(ChangeList):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.list_editable = ()


class ProductForm(ModelForm):
    def clean_download(self) -> Any:
        """Refuse a program that is called a book, before buyers are handed it."""
        file = self.cleaned_data["download"]
        if isinstance(file, UploadedFile) and not is_what_it_says(str(file.name), file):
            raise ValidationError(_("This file is not what the end of its name says."))
        return file


@admin.register(Product)
class ProductAdmin(Prices, Sought, StaffAdmin):
    form = ProductForm
    list_display = ["name", "preview", "category", "price", "stock", "is_on_show", "is_digital"]
    list_editable = ["price", "stock", "is_on_show"]
    list_filter = [ReadOrChange, "is_on_show", "category", "is_digital"]
    list_select_related = ["cover"]
    ordering = ["-id"]
    show_facets = admin.ShowFacets.ALLOW
    search_fields = ["name", "description"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "category", "description"]}),
        (_lazy("Sale"), {"fields": ["price", "vat_rate", "stock", "is_on_show"]}),
        (_lazy("Delivery"), {"fields": ["is_digital", "download", "weight"]}),
    ]
    inlines = [PictureInline]
    actions = ["show", "hide"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return super().get_changelist(request, **kwargs) if is_form(request) else ListToRead

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name if is_form(request) or name != "price" else "amount" for name in self.list_display]

    amount = price_column("price", _lazy("price"))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Product]:
        # Asked to join the few categories, SQLite begins with them and sorts every product.
        return super().get_queryset(request).prefetch_related("category")

    def ways(
        self, request: HttpRequest, rows: models.QuerySet[Product], term: str
    ) -> Iterator[models.QuerySet[Product]]:
        """Look up in our own index what is on show, and look through the rest."""
        hits = engines.search(term, kind="product", limit=INDEXED, is_typing=True).hits
        yield rows.filter(pk__in=[hit.object_id for hit in hits])
        yield self.looked_through(request, rows.filter(is_on_show=False), term)

    @admin.display(description=_lazy("picture"))
    def preview(self, product: Product) -> str:
        return small(product.cover)

    @admin.action(description=_lazy("Put on show"), permissions=["change"])
    def show(self, request: HttpRequest, queryset: ProductQuerySet) -> None:
        queryset.show()

    @admin.action(description=_lazy("Take off show"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: ProductQuerySet) -> None:
        queryset.hide()

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "stock":
            # The form carries the number it showed, so that saving it can tell a recount from an old number.
            kwargs["show_hidden_initial"] = True
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Product, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        """Write only what was changed here: a sale or a colleague may have changed the rest since the page was opened."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in columns - {"stock"}])
        if "stock" in form.changed_data:
            self._recount(request, obj, seen=number_shown(form))

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: Any, change: bool) -> None:  # noqa: FBT001
        """Read the pictures' names again: taking the product off show, a moment ago, has changed them."""
        for row in formset.initial_forms:
            if "file" not in row.changed_data:
                row.instance.refresh_from_db(fields=["file"])
        super().save_formset(request, form, formset, change)

    def _recount(self, request: HttpRequest, product: Product, *, seen: int | None) -> None:
        counted = product.stock
        Product.objects.restock(product.pk, seen=seen, counted=counted)
        product.refresh_from_db(fields=["stock"])
        background.delay_on_commit("shop.tasks.answer_stock_alerts")
        if product.stock != counted:
            text = _("%(name)s: the stock changed while you were editing, so it is %(stock)s now.")
            self.message_user(request, text % {"name": product, "stock": product.stock}, messages.WARNING)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        product = self.get_object(request, object_id)
        may_delete = self.has_delete_permission(request, product)
        if product and may_delete and self.get_deleted_objects([product], request)[3]:
            text = _(
                "%(name)s has been sold, so the books need it for ever. To end its sale, take it off show instead."
            )
            self.message_user(request, text % {"name": product}, messages.WARNING)
            return redirect("admin:shop_product_change", product.pk)
        return super().delete_view(request, object_id, extra_context)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Product]) -> None:
        for product in queryset:
            product.delete()


@admin.register(Basket)
class BasketAdmin(ReadOnly, StaffAdmin):
    list_display = ["order_id", "product_ids", "counted_at"]


@admin.register(BoughtTogether)
class BoughtTogetherAdmin(ReadOnly, StaffAdmin):
    list_display = ["product", "other", "score"]
    list_select_related = ["product", "other"]
    ordering = ["-score", "product"]


@admin.register(StockAlert)
class StockAlertAdmin(Unwritable, StaffAdmin):
    """A wish is confirmed by a mailed link; staff who wrote one would have mail sent to people who never asked."""

    list_display = ["product", "email", "created_at", "confirmed_at", "sent_at"]
    list_select_related = ["product"]
    list_filter = [("confirmed_at", admin.EmptyFieldListFilter), ("sent_at", admin.EmptyFieldListFilter)]
    search_fields = ["email", "product__name"]


def small(picture: ProductPicture | None) -> str:
    """Show a picture as small as the list's lines allow; nothing when there is none (yet)."""
    if picture is None or not picture.file:
        return ""
    return format_html(
        '<img src="{}" alt="{}" width="48" height="48" loading="lazy">',
        thumbnail_url(str(picture.file), "face"),
        picture.alt,
    )


def number_shown(form: ModelForm) -> int | None:
    """Return the stock that the form showed before it was edited."""
    try:
        shown: int | None = form.fields["stock"].clean(form.data.get(form.add_initial_prefix("stock")))
    except ValidationError:
        return None
    return shown
