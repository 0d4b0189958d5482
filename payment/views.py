import logging
import secrets
from contextlib import suppress

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from account.requests import MemberRequest
from cart.cart import Cart
from cart.coupons import CouponRefused
from core.jobs import background
from core.web.ratelimit import client_address, hit, too_many
from orders.models import Order
from orders.views import last_token
from shop.money import money

from . import attempts, gateway, refunds
from .forms import RefundForm
from .fulfil import fulfil, pay_nothing
from .models import CheckoutAttempt, Refund

logger = logging.getLogger(__name__)

# A page may keep its thread this long for Stripe, all calls together.
PATIENCE = 11
# How long the return page looks again for a payment that Stripe has and we have not heard of, in seconds.
WAIT = 10
# How long that page keeps its thread to ask Stripe before it shows that it waits.
LOOK = 3
STEP = 2


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def process(request: HttpRequest) -> HttpResponse:
    """Show what is to be paid; POST leads to Stripe's page, always to the same one for one order."""
    if request.method == "POST":
        return _lead_to_stripe(request, _token_to_pay(request))
    order = _order_to_pay(request)
    return render(request, "payment/process.html", {"order": order, "can_pay": order.is_payable})


def _lead_to_stripe(request: HttpRequest, token: str) -> HttpResponse:
    # Few per order, more per address: people behind one do not get in each other's way, and made-up orders are no new
    # count.
    if not (hit("payment-from", client_address(request), "60/min") and hit("payment", token, "10/min")):
        return too_many(request, 60)
    try:
        with gateway.within(PATIENCE):
            url = attempts.start(token)
    except Order.DoesNotExist:
        raise Http404 from None
    except attempts.NothingToPay as free:
        pay_nothing(free.order)
        return redirect(free.order)
    except attempts.NotPayable as error:
        why = str(error) if isinstance(error, attempts.NotChargeable) else ""
        context = {"order": Order.objects.get(token=token), "can_pay": False, "why": why}
        return render(request, "payment/process.html", context, status=409)
    except (gateway.Unavailable, gateway.Refused) as error:
        logger.warning("No pay page for an order: %s", error)
        return _unavailable(request, Order.objects.get(token=token))
    # 303: the browser must not post our form to Stripe.
    return HttpResponseRedirect(url, status=303)


def _order_to_pay(request: HttpRequest) -> Order:
    return get_object_or_404(Order, token=_token_to_pay(request))


def _token_to_pay(request: HttpRequest) -> str:
    """Return the secret token that was sent, or that of the last order placed in this session."""
    token = request.POST.get("order") or request.GET.get("order")
    return token or last_token(request)


def _awaits(order: Order) -> bool:
    return order.status == Order.Status.AWAITING_PAYMENT


def _unavailable(request: HttpRequest, order: Order) -> HttpResponse:
    response = render(request, "payment/unavailable.html", {"order": order}, status=503)
    response["Retry-After"] = "30"
    return response


@never_cache
@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Undo an order that is not paid yet and put what it held back into the cart, for the buyer to change."""
    order = _order_to_pay(request)
    if not order.give_up(by=Order.UndoneBy.BUYER):
        return redirect(order)
    try:
        with gateway.within(PATIENCE):
            attempts.let_go(order)
    except gateway.Unavailable as error:
        logger.warning("Order %s is given up and waits for the sweep: %s", order.pk, error)
    order.refresh_from_db()
    if order.status != Order.Status.EXPIRED:
        return redirect(order)  # paid in this very moment, or Stripe is away: the order's page says which
    _refill(Cart(request), order)
    messages.success(
        request, _("Order %(number)s is undone. Change what you like and order again.") % {"number": order}
    )
    return redirect("cart:cart_detail")


def _refill(cart: Cart, order: Order) -> None:
    for line in order.lines.select_related("product"):
        if line.product.is_on_show:
            cart.set(line.product, max(line.quantity, cart.quantity_of(line.product)))
    if order.coupon_code:
        with suppress(CouponRefused):
            cart.use_coupon(order.coupon_code)


@never_cache
@require_safe
def completed(request: HttpRequest) -> HttpResponse:
    """
    Where Stripe sends the buyer afterwards. Says paid only when the order is; asks Stripe at once, which mostly is quicker
    than the webhook, and looks again for ten seconds.
    """
    attempt = get_object_or_404(
        CheckoutAttempt.objects.select_related("order"),
        session_id=request.GET.get("session_id", ""),
    )
    order = attempt.order
    if not _is_theirs(request, order):
        raise Http404
    waited = _seconds(request.GET.get("waited"))
    if _awaits(order) and not waited:
        order = _ask_stripe(attempt) or order
    prefetch_related_objects([order], "lines")  # fulfil() has read them already
    if order.paid_at:
        _trust(request, order.email.lower())
    waits = _awaits(order) and waited < WAIT
    context = {
        "order": order,
        "attempt": attempt,
        "has_goods": any(not line.is_digital for line in order.lines.all()),
        "waits": waits,
        "next": waited + STEP,
        "step": STEP,
    }
    name = "payment/_state.html" if getattr(request, "htmx", False) else "payment/completed.html"
    return render(request, name, context)


def _ask_stripe(attempt: CheckoutAttempt) -> Order | None:
    """The webhook may be late or lost; asking once ourselves is as good. Return the order as it is now, if Stripe answers."""
    try:
        with gateway.within(LOOK):
            return fulfil(attempt.session_id or "")
    except (gateway.Unavailable, gateway.Missing) as error:
        logger.warning("Whether an order is paid is asked again later: %s", error)
        background.delay("payment.tasks.fulfil_session", attempt.session_id)
        return None


def _is_theirs(request: HttpRequest, order: Order) -> bool:
    if order.token in (request.session.get("orders") or []):
        return True
    return order.buyer_id is not None and request.user.is_authenticated and request.user.pk == order.buyer_id


def _trust(request: HttpRequest, email: str) -> None:
    """Let this browser comment under the address it has bought with (blog/commenting.py) without waiting."""
    trusted = request.session.get("proven_addresses", [])
    if email not in trusted:
        request.session["proven_addresses"] = [*trusted, email][-5:]


def _seconds(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 4 else 0


@never_cache
@require_safe
def canceled(request: HttpRequest) -> HttpResponse:
    """Where Stripe's back link leads; the order stays, and can be paid, until its time is up."""
    order = _order_to_pay(request)
    return render(request, "payment/canceled.html", {"order": order, "can_pay": order.is_payable})


@never_cache
@staff_member_required
@permission_required("payment.add_refund", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def refund(request: MemberRequest, order_id: int) -> HttpResponse:
    """Give back a payment of an order, whole or in part: fill in, look once more, confirm."""
    order = get_object_or_404(Order, pk=order_id)
    payments = list(order.payments.exclude(payment_intent__startswith="free-").prefetch_related("refunds", "disputes"))
    payment = next((payment for payment in payments if str(payment.pk) == request.POST.get("payment")), None)
    open_ones = (payment for payment in payments if payment.refundable() and not payment.is_disputed)
    payment = payment or next(open_ones, None)
    if payment is None or payment.is_disputed:
        status = 409 if payment and request.method == "POST" else 200
        return render(request, "payment/refund.html", {"order": order, "payments": payments}, status=status)
    form = RefundForm(request.POST or None, payment=payment)
    context = {"order": order, "payments": payments, "payment": payment, "form": form}
    if request.method != "POST":
        return render(request, "payment/refund.html", context)
    if not form.is_valid():
        return render(request, "payment/refund.html", context, status=422)
    key = request.POST.get("key", "")[:64]
    if not request.POST.get("confirmed") or not key:
        return render(request, "payment/refund.html", {**context, "key": secrets.token_urlsafe(), "confirming": True})
    return _give_back(request, form, key=key)


@never_cache
@staff_member_required
@permission_required("payment.add_refund", raise_exception=True)
@require_POST
def refund_settle(request: MemberRequest, refund_id: int) -> HttpResponse:
    """Note how staff have paid a refund that came back from the buyer's bank."""
    owed = get_object_or_404(Refund.objects.select_related("payment"), pk=refund_id)
    how = request.POST.get("how", "").strip()[:200]
    if how and refunds.pay_otherwise(owed, how=how, actor=request.user):
        messages.success(request, _("Noted, and the buyer has been told."))
    elif not how:
        messages.error(request, _("Please write down how it was paid."))
    return redirect("payment:refund", order_id=owed.payment.order_id)


def _give_back(request: MemberRequest, form: RefundForm, *, key: str) -> HttpResponse:
    payment = form.payment
    try:
        wanted = refunds.request(
            payment,
            amount=form.minor(),
            key=f"staff-{payment.pk}-{key}",
            reason=form.cleaned_data["reason"],
            actor=request.user,
            restocks=form.cleaned_data["restocks"],
            things=form.things or None,
        )
    except refunds.TooMuch:
        messages.error(request, _("Someone else has refunded a part meanwhile. Please look again."))
    else:
        messages.success(request, _("%(amount)s go back.") % {"amount": money(wanted.total, payment.currency)})
    return redirect("payment:refund", order_id=payment.order_id)
