"""Pages that the order admin links to: an order to print and its papers, for staff who may see orders."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from account.requests import MemberRequest

from . import dispatch
from .forms import NoteForm, SendForm
from .models import Invoice, Order
from .views import paper_response


def may_see_orders(view: Any) -> Any:
    """Send strangers to the login and answer 403 to staff without the permission."""
    return staff_member_required(permission_required("orders.view_order", raise_exception=True)(view))


@never_cache
@require_safe
@may_see_orders
def admin_order_detail(request: HttpRequest, order_id: int) -> HttpResponse:
    order = get_object_or_404(
        Order.objects.select_related("buyer").prefetch_related("lines", "events__actor"), pk=order_id
    )
    return render(request, "orders/admin_order_detail.html", {"order": order, "papers": order.invoices.all()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_member_required
@permission_required("orders.change_order", raise_exception=True)
def admin_order_handle(request: MemberRequest, order_id: int) -> HttpResponse:
    """Send an order with its tracking, or note something in its history that only staff read."""
    order = get_object_or_404(Order, pk=order_id)
    form = (SendForm if "send" in request.POST else NoteForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _handle(request, order, form)
        return redirect("orders:admin_order_handle", order.pk)
    context = {
        "order": order,
        "can_send": order.sent_at is None and order.is_paid_for,
        "send_form": form if isinstance(form, SendForm) else SendForm(initial={"tracking": order.tracking}),
        "note_form": form if isinstance(form, NoteForm) else NoteForm(),
        "events": order.events.select_related("actor"),
    }
    return render(request, "orders/admin_order_handle.html", context, status=422 if request.method == "POST" else 200)


def _handle(request: MemberRequest, order: Order, form: SendForm | NoteForm) -> None:
    if isinstance(form, NoteForm):
        order.remember(form.cleaned_data["note"], actor=request.user)
        messages.success(request, _("Noted."))
    elif dispatch.send(order, actor=request.user, tracking=form.cleaned_data["tracking"]):
        messages.success(request, _("Marked as sent; the buyer gets a mail."))
    elif order.sent_at and form.cleaned_data["tracking"]:
        dispatch.note_tracking(order, form.cleaned_data["tracking"], actor=request.user)
        messages.success(request, _("The tracking is on the order's page now."))
    else:
        messages.warning(request, _("The order is in no state for this."))


@never_cache
@require_safe
@may_see_orders
def admin_order_pdf(request: HttpRequest, order_id: int) -> HttpResponse:
    """Hand out the invoice, or with ?label= another paper of the order."""
    papers = Invoice.objects.filter(order_id=order_id)
    label = request.GET.get("label")
    paper = papers.labelled(label).first() if label else papers.filter(kind=Invoice.Kind.INVOICE).first()
    if paper is None:
        raise Http404("There is no invoice before the order is paid.")
    return paper_response(paper)
