from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from . import invoice
from .models import Invoice


@shared_task
def make_pdf(invoice_id: int) -> None:
    invoice.pdf(Invoice.objects.get(pk=invoice_id))


@shared_task
def sweep_invoices() -> None:
    """Make the PDFs whose task was lost."""
    late = timezone.now() - timedelta(minutes=2)
    for waiting in Invoice.objects.filter(pdf="", created_at__lt=late).order_by("id")[:50]:
        invoice.pdf(waiting)
