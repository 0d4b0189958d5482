from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.web.http import SiteRequest
from core.web.ratelimit import limited, newcomers
from shop.models import Product

from .cart import Cart
from .forms import CouponForm, QuantityForm

# Each cart that is begun is a row for two weeks: a script without cookies begins one at each request. So many people may
# begin theirs behind one address; whoever has one is not counted.
CARTS_BEGUN = ("60/min", "600/h", "2000/d")


@never_cache
@require_safe
def cart_detail(request: HttpRequest) -> HttpResponse:
    cart = Cart(request, suggest=4)
    response = show(request, cart)
    cart.settle()
    return response


def show(request: HttpRequest, cart: Cart, *, status: int = 200, **forms: CouponForm | QuantityForm) -> HttpResponse:
    """Render the cart page; a form that was refused takes the place of the fresh one."""
    refused = forms.get("quantity_form")
    rows = [
        (line, refused)
        if isinstance(refused, QuantityForm) and refused.product.pk == line.product.pk
        else (line, QuantityForm(product=line.product, initial={"quantity": line.quantity}))
        for line in cart.lines
    ]
    context = {
        "cart": cart,
        "rows": rows,
        "coupon_form": forms.get("coupon_form") or CouponForm(cart=cart),
        "charges_vat": settings.SELLER_CHARGES_VAT,
    }
    return render(request, "cart/cart_detail.html", context, status=status)


@require_POST
@limited(*CARTS_BEGUN, scope="cart", of=newcomers)
def cart_add(request: SiteRequest, product_id: int) -> HttpResponse:
    product = get_object_or_404(Product.objects.on_show(), pk=product_id)
    cart = Cart(request)
    form = QuantityForm(request.POST, product=product, adds_to=cart)
    if not form.is_valid():
        template = "cart/_cart_add_form.html" if request.htmx else "cart/cart_add.html"
        return render(request, template, {"product": product, "form": form}, status=422)
    cart.add(product, form.cleaned_data["quantity"])
    if request.htmx:
        held = cart.quantity_of(product)
        context = {"cart": cart, "product": product, "form": QuantityForm(product=product), "held": held}
        return render(request, "cart/_cart_added.html", context)
    messages.success(request, _("%(name)s is in your cart.") % {"name": product.name})
    return redirect("cart:cart_detail")


@require_POST
def cart_set(request: HttpRequest, product_id: int) -> HttpResponse:
    cart = Cart(request)
    product = Product.objects.on_show().filter(pk=product_id).first()
    if product is None or not cart.quantity_of(product):
        return redirect("cart:cart_detail")  # gone meanwhile: the cart page says so
    form = QuantityForm(request.POST, product=product)
    if not form.is_valid():
        return show(request, cart, status=422, quantity_form=form)
    cart.set(product, form.cleaned_data["quantity"])
    return redirect("cart:cart_detail")


@require_POST
def cart_remove(request: HttpRequest, product_id: int) -> HttpResponse:
    Cart(request).remove(product_id)
    return redirect("cart:cart_detail")


@require_POST
@limited("10/h", scope="coupon")
def coupon_apply(request: HttpRequest) -> HttpResponse:
    cart = Cart(request)
    form = CouponForm(request.POST, cart=cart)
    if not form.is_valid():
        return show(request, cart, status=422, coupon_form=form)
    messages.success(request, _("The code %(code)s is applied.") % {"code": form.cleaned_data["code"].strip().upper()})
    return redirect("cart:cart_detail")


@require_POST
def coupon_remove(request: HttpRequest) -> HttpResponse:
    Cart(request).drop_coupon()
    return redirect("cart:cart_detail")
