from celery import shared_task

from . import delivery


@shared_task
def deliver_mail(mail_id: int) -> None:
    delivery.deliver(mail_id)


@shared_task
def sweep_outbox() -> None:
    """Send what is due and was forgotten; safe to run twice and in two places."""
    delivery.sweep()
