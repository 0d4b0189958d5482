from celery import shared_task

from . import fulfil, refunds, sweeper, webhooks


@shared_task
def process_event(event_id: str) -> None:
    webhooks.process(event_id)


@shared_task
def fulfil_session(session_id: str) -> None:
    fulfil.fulfil(session_id)


@shared_task
def send_refund(refund_id: int) -> None:
    refunds.send(refund_id)


@shared_task
def sweep_payments() -> None:
    sweeper.sweep()


@shared_task
def catch_up_events() -> None:
    sweeper.catch_up()


@shared_task
def reconcile_with_stripe() -> None:
    sweeper.reconcile()


@shared_task
def forget_old_events() -> None:
    sweeper.forget()
