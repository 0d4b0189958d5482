"""Pages that the order admin links to: an order to print and its papers, for staff who may see orders."""

from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

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
