"""
A local Stripe: the part of its API that the shop uses, a pay page, signed webhooks, and faults to order.

Standard library only, loopback only, refused when DEBUG is off. The site talks to it with the official SDK and the very
code it talks to Stripe with; only STRIPE_API_BASE differs. Start it by `manage.py stripe_simulator`, or in a test:

    with Simulator(webhook_url=..., api_key=..., webhook_secret=...) as simulator:
        simulator.url

api.py answers the SDK, pay_page.py the buyer, control.py the test; ledger.py holds the money; courier.py carries the
events; faults.py is what may go wrong on the way.
"""

from .server import Simulator

__all__ = ["Simulator"]
