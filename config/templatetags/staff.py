"""The admin's start page and menu: what is waiting, and the everyday things before the machinery."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import ngettext

from account.models import User
from blog.models import Comment
from mail.models import OutgoingMail
from payment.models import Problem

register = template.Library()

# What people come to the admin for. All other tables are kept by the site itself and seldom looked at.
EVERYDAY = {
    "account": {"User"},
    "blog": {"Post", "Comment", "Tag"},
    "cart": {"Coupon"},
    "images": {"Image"},
    "mail": {"OutgoingMail"},
    "orders": {"Order", "Invoice", "ShippingRate", "Withdrawal"},
    "payment": {"Problem"},
    "shop": {"Category", "Product"},
}


@register.simple_tag
def menu(app_list: list[dict[str, Any]], path: str) -> dict[str, Any]:
    """
    Part the admin's tables; the machinery is shown unfolded where one of its pages is open.

    `here` is the table whose page is open, and `shown` all that the menu says besides.
    """
    machinery = _those(app_list, everyday=False)
    links = [(str(model["admin_url"]), str(model["add_url"])) for app in app_list for model in app["models"]]
    here = next((link for link, _add in links if path.startswith(link)), "")
    return {
        "everyday": _those(app_list, everyday=True),
        "machinery": machinery,
        "here": here,
        "is_open": any(here == model["admin_url"] for app in machinery for model in app["models"]),
        "shown": (*links, *(model.get("view_only") for app in app_list for model in app["models"])),
    }


def _those(app_list: list[dict[str, Any]], *, everyday: bool) -> list[dict[str, Any]]:
    apps = (
        {**app, "models": [each for each in app["models"] if _is_everyday(app, each) is everyday]} for app in app_list
    )
    return [app for app in apps if app["models"]]


def _is_everyday(app: dict[str, Any], model: dict[str, Any]) -> bool:
    return model["object_name"] in EVERYDAY.get(app["app_label"], ())


@register.simple_tag
def waiting(user: User | AnonymousUser) -> list[tuple[str, str]]:
    """Return what waits for somebody who may see to it, in words and as an address."""
    comments = _count(user, "blog.change_comment", Comment.objects.filter(state=Comment.State.WAITING))
    problems = _count(user, "payment.view_problem", Problem.objects.filter(resolved_at=None))
    mails = _count(user, "mail.view_outgoingmail", OutgoingMail.objects.filter(status=OutgoingMail.Status.FAILED))
    found = [
        (comments, ngettext("%d comment waits", "%d comments wait", comments), "blog_comment", "state__exact=waiting"),
        (
            problems,
            ngettext("%d payment problem", "%d payment problems", problems),
            "payment_problem",
            "resolved_at__isempty=1",
        ),
        (mails, ngettext("%d mail failed", "%d mails failed", mails), "mail_outgoingmail", "status__exact=failed"),
    ]
    return [
        (words % number, f"{reverse(f'admin:{table}_changelist')}?{query}")
        for number, words, table, query in found
        if number
    ]


def _count(user: User | AnonymousUser, permission: str, rows: QuerySet[Any]) -> int:
    return rows.count() if user.has_perm(permission) else 0
