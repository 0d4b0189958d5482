from collections.abc import Sequence
from functools import cache, partial
from itertools import starmap
from typing import Any
from urllib.parse import urljoin

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from content.templatetags.pictures import thumbnail_url
from core.caching.memory import cached
from core.caching.pages import for_everyone
from core.caching.paging import ListPaginator
from core.web.links import site_url
from core.web.ratelimit import limited

from . import alerts, listing, recommender
from .forms import ProductListForm, StockAlertForm
from .models import Cover, Product, ProductPicture, ProductQuerySet, StockAlert

PER_PAGE = 24


@require_safe
@for_everyone("page", *ProductListForm.base_fields)
def product_list(request: HttpRequest, category: str = "") -> HttpResponse:
    form = ProductListForm(request.GET)
    # The pills' counts add up to the pager's total, so the list needs no COUNT of its own.
    categories = listing.categories(in_stock=form.only_in_stock)
    current = next((each for each in categories if each.slug == category), None)
    if category and not current:
        raise Http404
    total = sum(each.product_count for each in categories)
    products = listing.products(form.chosen_sort, in_stock=form.only_in_stock, category=current.pk if current else None)
    paginator = ListPaginator(products, current.product_count if current else total, PER_PAGE)
    context = {
        "form": form,
        "query": form.query,
        "categories": categories,
        "category": current,
        "page": paginator.get_page(request.GET.get("page")),
        "total": total,
    }
    return render(request, "shop/product_list.html", context)


@require_safe
@for_everyone()
def product_detail(request: HttpRequest, product_id: int, slug: str) -> HttpResponse:
    product = get_object_or_404(_pages(), pk=product_id)
    if slug != product.slug:
        return redirect(product, permanent=True)
    # Its cover is the first of its pictures: what has none has no others.
    pictures = list(starmap(Cover, _pictures().filter(product=product.pk))) if product.cover_id else []
    together = partial(recommender.bought_together, [product.pk])
    context = {
        "product": product,
        "pictures": pictures,
        "cover_url": full_address(pictures),
        "summary": product.summary,
        "together": cached(("together", product.pk), together) if product.has_companions else [],
        "alert_form": StockAlertForm() if product.is_sold_out else None,
    }
    return render(request, "shop/product_detail.html", context)


# Query sets that are asked again and again for another row: to put one together takes as long as to ask.
@cache
def _pages() -> ProductQuerySet:
    return Product.objects.on_show().pages()


@cache
def _pictures() -> QuerySet[ProductPicture, Any]:
    return ProductPicture.objects.order_by("position", "id").values_list("file", "alt", "width", "height")


def full_address(pictures: Sequence[Cover]) -> str:
    """Return where a link preview finds the first picture, on whatever host pictures live."""
    return urljoin(site_url("/"), thumbnail_url(pictures[0].file, "wide")) if pictures else ""


@require_POST
@limited("5/min", "20/h")
def stock_alert(request: HttpRequest, product_id: int, slug: str) -> HttpResponse:
    """Note who wants to hear when the product is back; a proven member need not type the address."""
    product = get_object_or_404(Product.objects.on_show(), pk=product_id)
    member = request.user
    if member.is_authenticated and member.is_proven:
        alerts.ask(product, member.email, member=member)
        messages.success(request, _("We will mail you once when %(name)s is back.") % {"name": product.name})
        return redirect(product)
    form = StockAlertForm(request.POST)
    if not form.is_valid():
        return render(request, "shop/stock_alert.html", {"product": product, "form": form}, status=422)
    alerts.ask(product, form.cleaned_data["email"])
    messages.success(request, _("Please confirm your wish by the link that we have just mailed to you."))
    return redirect(product)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stock_alert_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show the wish; confirming takes a click on the page, because mail programs follow links by themselves."""
    alert = get_object_or_404(StockAlert.objects.select_related("product"), token=token)
    if request.method == "POST":
        alerts.confirm(alert)
        messages.success(request, _("We will mail you once when %(name)s is back.") % {"name": alert.product.name})
        return redirect_to(alert.product)
    return render(request, "shop/stock_alert_confirm.html", {"alert": alert})


@require_POST
def stock_alert_cancel(request: HttpRequest, token: str) -> HttpResponse:
    alert = get_object_or_404(StockAlert.objects.select_related("product"), token=token)
    alert.delete()
    messages.success(request, _("The wish is deleted: you will not hear from us about it."))
    return redirect_to(alert.product)


def redirect_to(product: Product) -> HttpResponse:
    """Redirect to the product's page, or to the list while it has none."""
    return redirect(product) if product.is_on_show else redirect("shop:product_list")
