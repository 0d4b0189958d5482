"""
Run the local Stripe: `manage.py stripe_simulator --port 8001 --webhook-url http://127.0.0.1:8000/payment/webhook/`.

STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET are read from the settings, so give this process and the site the same two,
and the site STRIPE_API_BASE=http://127.0.0.1:8001. Its books are kept in var/stripe-simulator.json (`--state ""` keeps
none), so sessions opened before a restart can still be paid; payments that the site has and the books lack, such as
the demo's, are entered at the start, so that staff can refund them. Ends on Ctrl-C or SIGTERM.
"""

import signal
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from payment.models import Payment, Refund
from payment.simulator import Simulator
from payment.simulator.ledger import Ledger


def adopt_payments(ledger: Ledger) -> None:
    """Let the books know every payment of the site's database; one without tables has none."""
    payments = Payment.objects.exclude(payment_intent__startswith="free-").prefetch_related("refunds").order_by("pk")
    with suppress(OperationalError, ProgrammingError), ledger.change():
        for payment in payments.iterator(chunk_size=1000):
            given = {
                refund.stripe_refund_id: refund.amount
                for refund in payment.refunds.all()
                if refund.status == Refund.Status.SUCCEEDED and refund.stripe_refund_id
            }
            ledger.adopt(payment.payment_intent, amount=payment.amount, currency=payment.currency, refunds=given)


class Command(BaseCommand):
    help = "Run a local stand-in for Stripe. Only with DEBUG on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument("--webhook-url", default=f"{settings.SITE_URL}/payment/webhook/")
        parser.add_argument("--state", default=str(settings.VAR_DIR / "stripe-simulator.json"))
        parser.add_argument("--settle-after", type=float, default=20, help="Seconds until a bank payment arrives.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The Stripe simulator takes no real money and runs only with DEBUG on.")
        if not settings.STRIPE_SECRET_KEY or not settings.STRIPE_WEBHOOK_SECRET:
            raise CommandError("Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET (any text), the same as for the site.")
        try:
            simulator = Simulator(
                api_key=settings.STRIPE_SECRET_KEY,
                webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
                webhook_url=options["webhook_url"],
                port=options["port"],
                path=Path(options["state"]) if options["state"] else None,
                settle_after=options["settle_after"],
            )
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be used: {error}") from error
        adopt_payments(simulator.ledger)
        with simulator:
            self.stdout.write(f"Local Stripe on {simulator.url}, webhooks go to {options['webhook_url']}")
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                signal.pause()
            except KeyboardInterrupt:
                self.stdout.write("Local Stripe ends.")
