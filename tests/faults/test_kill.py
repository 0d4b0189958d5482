"""The process is killed between the commit and the mail: the next start or `manage.py tick` sends it, once."""

import signal
import subprocess

from django.test import TransactionTestCase

from mail.models import OutgoingMail
from orders.models import Order
from orders.tests.factories import make_item
from tests import processes

# A request that dies: all of it is real but for the power cut, which comes at the first line after the commit.
ORDER_AND_DIE = """
import os, signal
import django
django.setup()
from core.jobs import background
from orders.checkout import place_order
from orders.tests.factories import CONTACT, make_cart
from shop.models import Product
background.start = lambda task, args: os.kill(os.getpid(), signal.SIGKILL)
cart = make_cart((Product.objects.get(), 2))
place_order(cart, contact=CONTACT, buyer=None, checkout_key="killed-after-the-commit")
"""


class KilledAfterCommit(TransactionTestCase):
    def test_order_and_stock_stand_and_the_mail_is_sent_once(self):
        processes.forget_mails()
        product = make_item(stock=5)

        command = [processes.PYTHON, "-c", ORDER_AND_DIE]
        killed = subprocess.run(command, cwd=processes.ROOT, env=processes.environment(), check=False)
        mails_at_death = processes.sent_mails()
        ticks = [processes.run("tick", "--now") for _ in range(2)]

        assert killed.returncode == -signal.SIGKILL
        assert mails_at_death == []
        assert Order.objects.get().status == Order.Status.AWAITING_PAYMENT
        product.refresh_from_db()
        assert product.stock == 3
        assert [tick.returncode for tick in ticks] == [0, 0], ticks
        assert OutgoingMail.objects.get().status == OutgoingMail.Status.SENT
        assert len(processes.sent_mails()) == 1
