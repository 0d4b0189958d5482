from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from core.jobs.rows import each

from . import invoice
from .models import Invoice

LATE = timedelta(seconds=20)  # to draw one twice is a second's work lost, and the first file stays


@shared_task
def make_pdf(invoice_id: int) -> None:
    invoice.pdf(Invoice.objects.get(pk=invoice_id))


@shared_task
def sweep_invoices() -> None:
    """Make the PDFs whose task was lost."""
    late = timezone.now() - LATE
    # In any order: fifty that cannot be drawn must not keep the rest waiting for ever. By their ids: one row that cannot
    # be read must not either.
    late_ones = Invoice.objects.filter(pdf="", created_at__lt=late).order_by("?").values_list("pk", flat=True)
    each(make_pdf, late_ones[:50])
