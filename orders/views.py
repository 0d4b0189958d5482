"""The buyer's pages; those of the staff are in staff.py."""

from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from account.models import User
from account.requests import MemberRequest
from cart.cart import Cart
from core.web.ratelimit import limited
from shop.money import money

from . import checkout, guest_orders, invoice, shipping_cost, timeline, vat, vat_rules, withdrawals
from .forms import OrderCreateForm, WithdrawalForm
from .models import Invoice, Order, OrderLine

SESSION_KEY = "orders"  # tokens of the orders this browser placed, the newest last
MOST_REMEMBERED = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited("10/min")
def order_create(request: HttpRequest) -> HttpResponse:
    cart = Cart(request)
    buyer = request.user if request.user.is_authenticated else None
    if request.method == "POST":
        form = OrderCreateForm(request.POST)
        if form.is_valid():
            return _place(request, cart, form, buyer)
        return _page(request, cart, form, status=422)
    if request.htmx and "country" in request.GET:  # type: ignore[attr-defined]
        return render(
            request, "orders/_summary.html", _costs(cart, request.GET["country"], request.GET.get("vat_id", ""))
        )
    form = OrderCreateForm(buyer=buyer, last_token=last_token(request), checkout_key=cart.checkout_key)
    return _page(request, cart, form)


def _place(request: HttpRequest, cart: Cart, form: OrderCreateForm, buyer: User | None) -> HttpResponse:
    try:
        order = checkout.place_order(
            cart,
            contact=form.contact,
            buyer=buyer,
            checkout_key=form.cleaned_data["checkout_key"],
            expected_total=_amount(request.POST.get("seen_total", "")),
        )
    except checkout.EmptyCart:
        return _page(request, cart, form)
    except checkout.PlacedAlready as placed:
        text = _("This order is placed already, for %(total)s. What you changed would make another total.")
        messages.warning(request, text % {"total": money(placed.order.total, placed.order.currency)})
        return redirect(placed.order)
    except (checkout.CartChanged, checkout.SoldOut, shipping_cost.NoShipping) as refusal:
        _explain(refusal, form, cart)
        return _page(request, Cart(request), form, status=422)
    cart.clear()
    remember(request, order)
    # 307 lets the browser post on to the payment, which opens the pay page: the button said "Pay", so this click does.
    # The address names the order: another tab may have placed one since, and the session need not be read for it.
    return redirect(f"{resolve_url('payment:process')}?order={order.token}", preserve_request=True)


def _explain(refusal: Exception, form: OrderCreateForm, cart: Cart) -> None:
    """Say on the form why nothing was ordered."""
    if isinstance(refusal, checkout.CartChanged):
        form.add_error(None, refusal.messages)
    elif isinstance(refusal, checkout.SoldOut):
        form.add_error(None, _("Somebody was quicker: too few of %(name)s are left.") % {"name": refusal.product.name})
    else:
        form.add_error("country", _("We do not send to this country yet."))
    if isinstance(refusal, checkout.CouponGone):
        cart.drop_coupon()  # or the next try would be refused for the same reason


def _page(request: HttpRequest, cart: Cart, form: OrderCreateForm, status: int = 200) -> HttpResponse:
    if cart.is_empty:
        return _nothing_to_order(request, cart)
    context = {"form": form, **_costs(cart, *(str(form[name].value() or "") for name in ("country", "vat_id")))}
    # A form that was refused because of them says them already.
    context["changes"] = [change for change in cart.changes if change not in form.non_field_errors()]
    response = render(request, "orders/order_create.html", context, status=status)
    cart.settle()
    return response


def _nothing_to_order(request: HttpRequest, cart: Cart) -> HttpResponse:
    """Lead whoever comes back from the pay page to the order that waits there, and anybody else to the cart."""
    if cart.changes:
        return redirect("cart:cart_detail")  # which says that what was in it has sold out
    token = last_token(request)
    if token and (placed := Order.objects.filter(token=token).first()) and placed.is_payable:
        return redirect(f"{resolve_url('payment:process')}?order={token}")
    messages.info(request, _("Your cart is empty, so there is nothing to order."))
    return redirect("cart:cart_detail")


def _costs(cart: Cart, country: str, typed_vat_id: str) -> dict[str, Any]:
    with suppress(vat_rules.BadVatId):
        typed_vat_id = vat_rules.clean(typed_vat_id, country)
    try:
        quote = checkout.quote(cart, country, typed_vat_id)
    except shipping_cost.NoShipping:
        return {"cart": cart, "quote": None}
    return {
        "cart": cart,
        "quote": quote,
        "refusal": checkout.refusal(quote),
        "awaits_check": vat.awaits_check(country, typed_vat_id),
    }


def _amount(text: str) -> Decimal:
    """Return the amount that a form says was on its button; for anything else a NaN, which equals no total."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")
    return amount if amount.is_finite() else Decimal("NaN")


def remember(request: HttpRequest, order: Order) -> None:
    """Let this browser find its orders again; the newest one is the one to pay."""
    tokens = [token for token in request.session.get(SESSION_KEY, []) if token != order.token]
    request.session[SESSION_KEY] = [*tokens, order.token][-MOST_REMEMBERED:]


def last_token(request: HttpRequest) -> str:
    """Return the token of the order that this browser placed last; empty when it placed none."""
    return str((request.session.get(SESSION_KEY) or [""])[-1])


@never_cache
@require_safe
@login_required
def order_list(request: MemberRequest) -> HttpResponse:
    page = Paginator(guest_orders.orders_of(request.user), 20).get_page(request.GET.get("page"))
    return render(request, "orders/order_list.html", {"page": page})


@never_cache
@require_safe
def order_detail(request: HttpRequest, token: str) -> HttpResponse:
    order = get_object_or_404(
        Order.objects.prefetch_related(
            Prefetch("lines", OrderLine.objects.select_related("product")),
            Prefetch("invoices", Invoice.objects.without_content()),
            "events",
            "withdrawals",
        ),
        token=token,
    )
    papers = list(order.invoices.all())
    notes = [paper for paper in papers if paper.kind == Invoice.Kind.CREDIT_NOTE]
    is_sent = any(not line.product.is_digital for line in order.lines.all())
    context = {
        "is_sent": is_sent,
        "order": order,
        "papers": papers,
        "given_back": sum((note.total for note in notes), Decimal(0)),
        "downloads": [line for line in order.lines.all() if line.product.download] if order.is_paid_for else [],
        "steps": timeline.steps(order, papers, is_sent=is_sent),
        "next": timeline.now(order, has_all=all(line.product.download for line in order.lines.all())),
        "is_late": withdrawals.is_late(order),
        "last_day": withdrawals.last_day(order),
        "can_withdraw": order.paid_at and not order.has_gone_back,
    }
    return _private(render(request, "orders/order_detail.html", context))


@never_cache
@require_safe
def order_invoice(request: HttpRequest, token: str, label: str) -> HttpResponse:
    """Hand out an invoice or a credit note to whoever knows the order's secret address."""
    return _private(paper_response(get_object_or_404(Invoice.objects.labelled(label), order__token=token)))


@never_cache
@require_safe
def order_download(request: HttpRequest, token: str, line_id: int) -> HttpResponseBase:
    """Hand out a digital product's file to whoever knows the secret address of an order that is paid."""
    lines = OrderLine.objects.select_related("product", "order").exclude(product__download="")
    line = get_object_or_404(lines, pk=line_id, order__token=token)
    file = line.product.download
    name = str(file.name)
    if not line.order.is_paid_for or not file.storage.exists(name):
        raise Http404
    response = FileResponse(file.open("rb"), as_attachment=True, filename=Path(name).name)
    response["X-Robots-Tag"] = "noindex"
    return response


def paper_response(paper: Invoice) -> HttpResponse:
    response = HttpResponse(invoice.pdf(paper), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{paper.filename}"'
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited("5/min", "20/h")
def withdrawal(request: HttpRequest) -> HttpResponse:
    """Take a withdrawal in two steps: the statement, then a button that says what it does."""
    # Only who knows the order's secret address is told whether it is late: a number and a mail address are guessed.
    order = Order.objects.filter(token=request.GET.get("order", "")).first()
    context: dict[str, Any] = {
        "is_late": withdrawals.is_late(order),
        "last_day": withdrawals.last_day(order) if order else None,
    }
    if request.method != "POST":
        return render(request, "orders/withdrawal.html", {**context, "form": WithdrawalForm(order=order)})
    form = WithdrawalForm(request.POST)
    context |= {"form": form, "is_confirming": form.is_valid() and "change" not in request.POST}
    if not form.is_valid():
        return render(request, "orders/withdrawal.html", context, status=422)
    if "confirmed" not in request.POST:
        return render(request, "orders/withdrawal.html", context)
    withdrawals.receive(**form.cleaned_data)
    return redirect("orders:withdrawal_done")


@require_safe
def withdrawal_done(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/withdrawal_done.html")
