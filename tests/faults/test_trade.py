"""
Processes that die in the middle of a trade, each at the line where it would hurt most; a sweep goes on from the rows.

The dying process is real but for its death, which comes from its own hand, so that it always comes at the same line.
"""

import signal
import subprocess
from datetime import timedelta
from email import message_from_bytes
from unittest import mock

from django.core import mail
from django.utils import timezone

from core.jobs import background, sweeps
from mail.models import OutgoingMail
from mail.tests.factories import make_mail
from orders import audit as papers
from orders.models import Invoice, Order
from orders.tests.factories import make_item, make_order
from payment import attempts, audit, refunds
from payment.models import Payment, Refund
from payment.tests.stand_in import API_KEY, SECRET, StripeRaceTestCase, assert_paid_once
from tests import processes

SWEEPS = ("payment.tasks.sweep_payments", "orders.tasks.sweep_invoices", "mail.tasks.sweep_outbox")
START = """
import os, signal, sys
import django
django.setup()
from core.jobs import sweeps
from core.jobs import background
background.start = lambda task, args: None  # what is left for later is lost with the process

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def then_die(act):
    def acts_and_dies(*args, **kwargs):
        act(*args, **kwargs)
        die()
    return acts_and_dies
"""


class DyingTestCase(StripeRaceTestCase):
    def setUp(self):
        super().setUp()
        processes.forget_mails()
        self.settings_of_others = {
            "STRIPE_API_BASE": self.simulator.url,
            "STRIPE_SECRET_KEY": API_KEY,
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }

    def die_in(self, script, *arguments):
        """Run the script in a process of its own, which must end by its own SIGKILL."""
        command = [processes.PYTHON, "-c", START + script, *map(str, arguments)]
        env = processes.environment(**self.settings_of_others)
        dead = subprocess.run(command, cwd=processes.ROOT, env=env, capture_output=True, text=True, check=False)
        assert dead.returncode == -signal.SIGKILL, dead.stderr

    def tick(self):
        # What a dead process held is due again after a while; the test does not wait for it.
        now = timezone.now()
        OutgoingMail.objects.filter(status=OutgoingMail.Status.SENDING).update(lease_until=now)
        Refund.objects.filter(status=Refund.Status.REQUESTED).update(due_at=now)
        Invoice.objects.filter(pdf="").update(created_at=now - timedelta(minutes=3))
        ended = processes.run("tick", "--now", **self.settings_of_others)
        assert ended.returncode == 0, ended.stderr
        self.assert_nothing_is_left_to_do()

    def assert_nothing_is_left_to_do(self):
        before = (len(self.simulator.ledger.refunds), OutgoingMail.objects.count(), Invoice.objects.count())
        mail.outbox.clear()
        assert sweeps.run(SWEEPS) == []
        assert mail.outbox == []
        assert (len(self.simulator.ledger.refunds), OutgoingMail.objects.count(), Invoice.objects.count()) == before

    def message_ids(self):
        return [message_from_bytes(path.read_bytes())["Message-ID"] for path in processes.sent_mails()]


class MailTests(DyingTestCase):
    def write_mail(self):
        with mock.patch.object(background, "start"):
            return make_mail()

    def test_killed_before_the_mail_server_took_it(self):
        letter = self.write_mail()

        self.die_in(
            """
from mail import backends, delivery
backends.EmlFileBackend.send_messages = die
delivery.deliver(int(sys.argv[1]))
""",
            letter.pk,
        )
        assert self.message_ids() == []
        self.tick()

        assert self.message_ids() == [letter.message_id]

    def test_killed_after_the_mail_server_took_it_both_copies_are_one_message(self):
        letter = self.write_mail()

        self.die_in(
            """
from mail import backends, delivery
backends.EmlFileBackend.send_messages = then_die(backends.EmlFileBackend.send_messages)
delivery.deliver(int(sys.argv[1]))
""",
            letter.pk,
        )
        self.tick()

        assert self.message_ids() == [letter.message_id] * 2
        letter.refresh_from_db()
        assert (letter.status, letter.attempts) == (OutgoingMail.Status.SENT, 2)


class InvoiceTests(DyingTestCase):
    def setUp(self):
        super().setUp()
        self.paper = make_order(paid=True).invoices.get()
        Invoice.objects.update(pdf="", sha256="")

    def assert_drawn_once(self):
        self.tick()
        self.paper.refresh_from_db()
        assert self.paper.pdf
        assert [*papers.numbers(), *papers.files()] == []

    def test_killed_while_it_is_drawn(self):
        self.die_in(
            """
from orders import invoice
from weasyprint import HTML
HTML.write_pdf = die
invoice.pdf(invoice.Invoice.objects.get(pk=sys.argv[1]))
""",
            self.paper.pk,
        )

        self.assert_drawn_once()

    def test_killed_between_the_file_and_its_row(self):
        self.die_in(
            """
from orders import invoice
storage = type(invoice.storages["private"])
storage.save = then_die(storage.save)
invoice.pdf(invoice.Invoice.objects.get(pk=sys.argv[1]))
""",
            self.paper.pk,
        )
        assert Invoice.objects.get().pdf == ""

        self.assert_drawn_once()


class MoneyTests(DyingTestCase):
    def setUp(self):
        super().setUp()
        self.product = make_item("30.00", stock=5)
        self.order = make_order(lines=[(self.product, 1)])

    def books(self):
        return [*audit.everything(), *audit.against_stripe(), *audit.mails()]

    def test_killed_inside_the_paying_transaction(self):
        session_id = self.open_session(self.order)
        self.simulator.ledger.pay(session_id)

        self.die_in(
            """
from orders import mails
from payment import fulfil
mails.invoice = die  # the number is taken, the mail is not written
fulfil.fulfil(sys.argv[1])
""",
            session_id,
        )
        self.order.refresh_from_db()
        assert self.order.status == Order.Status.AWAITING_PAYMENT
        assert not Invoice.objects.exists() and not Payment.objects.exists()
        self.order.attempts.update(created_at=timezone.now() - timedelta(minutes=1))
        self.tick()

        assert_paid_once(self.order)
        assert Invoice.objects.get().number == 1
        assert self.books() == []
        assert len(set(self.message_ids())) == len(self.message_ids()) == 1

    def test_killed_after_stripe_opened_the_session_and_before_we_wrote_its_id(self):
        self.die_in(
            """
from payment import attempts, gateway
gateway.create_session = then_die(gateway.create_session)
attempts.start(sys.argv[1])
""",
            self.order.token,
        )
        assert self.order.attempts.get().session_id is None

        url = attempts.start(self.order.token)

        assert len(self.simulator.ledger.sessions) == self.order.attempts.count() == 1
        assert url.endswith(self.order.attempts.get().session_id)

    def test_killed_after_stripe_refunded_and_before_we_noted_it(self):
        order = self.paid_order(lines=[(self.product, 1)])
        with mock.patch.object(background, "start"):
            wanted = refunds.request(order.payments.get(), amount=1000, key="once", reason="Torn")

        self.die_in(
            """
from payment import refunds
refunds._apply = die
refunds.send(int(sys.argv[1]))
""",
            wanted.pk,
        )
        assert [refund["amount"] for refund in self.simulator.ledger.refunds.values()] == [1000]
        self.tick()

        wanted.refresh_from_db()
        assert wanted.status == Refund.Status.SUCCEEDED
        assert [refund["amount"] for refund in self.simulator.ledger.refunds.values()] == [1000]
        assert order.invoices.filter(kind=Invoice.Kind.CREDIT_NOTE).count() == 1
        assert self.books() == []

    def test_killed_while_an_order_is_placed_takes_no_stock(self):
        Order.objects.all().delete()

        self.die_in("""
from orders import checkout, mails
from orders.tests.factories import CONTACT, make_cart
from shop.models import Product
mails.confirmation = die  # order, lines and stock are written, nothing is committed
checkout.place_order(
    make_cart((Product.objects.get(), 2)), contact=CONTACT, buyer=None, checkout_key="killed-while-it-was-placed"
)
""")

        self.product.refresh_from_db()
        assert self.product.stock == 5
        assert not Order.objects.exists() and not OutgoingMail.objects.exists()
