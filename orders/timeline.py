"""An order's life in the buyer's words: what happened, what is still to come, what to do now."""

from datetime import datetime
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shop.money import money

from .models import Invoice, Order, OrderEvent

S = Order.Status

NEXT: dict[str, Promise] = {
    S.AWAITING_PAYMENT: _("We keep everything for you. Pay to make it yours."),
    S.PROCESSING: _("Your payment is on its way. Some banks take a few days; we mail you when it has arrived."),
    S.PAID: _("Thank you. Your invoice is below and in your mail; we are getting everything ready."),
    S.SENT: _("It is on its way to you."),
    S.EXPIRED: _("It was not paid in time, so everything went back on the shelf. Nothing is owed."),
    S.CANCELLED: _("The bank refused the payment, so the order was cancelled. Nothing is owed."),
    S.REFUND_DUE: _("Your money came when this order was over already. It is on its way back to you."),
    S.PARTIALLY_REFUNDED: _("A part of your money has been sent back; banks take up to ten days to show it."),
    S.CHARGED_BACK: _("Your bank has taken the money back for you."),
    S.REFUNDED: _("All of your money has been sent back; banks take up to ten days to show it."),
}
LAPSED = _(
    "The time to pay is over. If you have paid just now, we will hear of it within minutes and write to you; otherwise "
    "nothing is owed."
)
BEING_UNDONE = _(
    "This order is being undone. If you have paid just now, we will hear of it within minutes and write to you; "
    "otherwise nothing is owed."
)
UNDONE: dict[str, Promise] = {
    Order.UndoneBy.BUYER: _("You undid this order before it was paid. Nothing is owed."),
    Order.UndoneBy.STAFF: _("We cancelled this order before it was paid. Nothing is owed."),
}
ENDED: dict[str, Promise] = {
    "": _("Not paid in time"),
    Order.UndoneBy.BUYER: _("Undone by you"),
    Order.UndoneBy.STAFF: _("Cancelled by us"),
}
OWED = _("Your bank sent the money back to us. We have written to you about another way.")
ENDINGS = (S.EXPIRED, S.CANCELLED, S.REFUND_DUE, S.REFUNDED, S.CHARGED_BACK)


class Step(NamedTuple):
    label: Promise | str
    at: datetime | None  # None: still to come


DOWNLOADED = _("Thank you. Your files and your invoice are below; the link to this page is in your mail.")


def now(order: Order, *, has_all: bool) -> Promise:
    """Return how things stand and what the buyer may do; `has_all` when everything bought is a file to download."""
    if order.status == S.PAID and has_all:
        return DOWNLOADED
    if order.is_refund_owed:
        return OWED
    if order.has_lapsed:
        return BEING_UNDONE if order.undone_by else LAPSED
    if order.status == S.EXPIRED and order.undone_by:
        return UNDONE[order.undone_by]
    return NEXT[order.status]


def steps(order: Order, papers: list[Invoice], *, is_sent: bool) -> list[Step]:
    """
    Return what happened and what will, oldest first; `papers` are the order's invoice and credit notes, and `is_sent`
    tells whether anything of it goes by post.
    """
    done: list[tuple[datetime, Promise | str]] = [(order.created_at, _("Ordered"))]
    done += [(at, label) for at, label in [(order.paid_at, _("Paid")), (order.sent_at, _("Sent"))] if at]
    done += [(paper.created_at, _paper_label(paper, order.currency)) for paper in papers]
    for withdrawal in order.withdrawals.all():
        done.append((withdrawal.created_at, _("Asked to withdraw") if withdrawal.is_late else _("Withdrawn")))
        if withdrawal.handled_at:
            done.append((withdrawal.handled_at, _("Withdrawal dealt with")))
    done += [(event.created_at, _ending(order, event)) for event in order.events.all() if event.status in ENDINGS]
    done.sort(key=lambda step: step[0])
    return [Step(label, at) for at, label in done] + _to_come(order, papers, is_sent=is_sent)


def _ending(order: Order, event: OrderEvent) -> Promise | str:
    return ENDED[order.undone_by] if event.status == S.EXPIRED else event.get_status_display().capitalize()


def _paper_label(paper: Invoice, currency: str) -> Promise | str:
    if paper.kind == Invoice.Kind.INVOICE:
        return _("Invoice %(number)s") % {"number": paper.label}
    words = {"amount": money(paper.total, currency), "number": paper.label}
    return _("%(amount)s given back (credit note %(number)s)") % words


def _to_come(order: Order, papers: list[Invoice], *, is_sent: bool) -> list[Step]:
    if order.status in ENDINGS or order.has_lapsed:
        return []
    return [
        Step(label, None)
        for label, is_done in [
            (_("Payment"), order.paid_at),
            (_("Invoice"), papers),
            (_("Sending"), order.sent_at or not is_sent),
        ]
        if not is_done
    ]
