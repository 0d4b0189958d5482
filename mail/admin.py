import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.staff.longtables import Lately, Period, Sought, begun, newest, numbered
from core.staff.modeladmin import StaffAdmin
from core.staff.readonly import Unwritable

from . import outbox
from .models import OutgoingMail, OutgoingMailQuerySet, ProvenAddress


@admin.register(OutgoingMail)
class OutgoingMailAdmin(Sought, StaffAdmin):
    list_display = ["id", "kind", "to", "subject", "status", "attempts", "created_at", "sent_at"]
    list_filter = ["status", ("kind", Lately), ("created_at", Period)]
    search_fields = ["to", "subject", "message_id"]
    search_help_text = _(
        "Number, beginning of the address, Message-ID; of the newest thousand also words of the subject."
    )
    actions = ["retry", "send_again"]

    def ways(self, request: HttpRequest, rows: QuerySet[OutgoingMail], term: str) -> Iterator[QuerySet[OutgoingMail]]:
        yield numbered(rows, term)
        yield begun(rows, "to", [term])
        yield rows.filter(message_id=term)
        yield self.looked_through(request, newest(rows), term)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: OutgoingMail | None = None) -> bool:
        # The list needs it for its actions; a single mail is history and only to be read.
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: OutgoingMail | None = None) -> bool:
        return False  # a deleted row would free its dedup key, and the mail could be sent a second time

    def get_fields(self, request: HttpRequest, obj: OutgoingMail | None = None) -> list[Any]:
        hidden = ("id", "html", "text", "sealed", "dedup_key")
        fields = [field.name for field in OutgoingMail._meta.fields if field.name not in hidden]
        return fields if obj and obj.is_secret else [*fields, "text_without_links"]

    @admin.display(description=_("text"))
    def text_without_links(self, mail: OutgoingMail) -> str:
        """Show what the reader reads but for the links, as many of them open an order or end a subscription."""
        return re.sub(r"(https?://[^/\s]+)/\S+", r"\1/…", mail.text)

    @admin.action(description=_("Retry failed mails"), permissions=["change"])
    def retry(self, request: HttpRequest, queryset: OutgoingMailQuerySet) -> None:
        count = outbox.retry(queryset)
        message = ngettext("%(count)s mail will be tried again.", "%(count)s mails will be tried again.", count)
        self.message_user(request, message % {"count": count})

    @admin.action(description=_("Send again as a new mail"), permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: OutgoingMailQuerySet) -> None:
        mails = queryset.filter(status=OutgoingMail.Status.SENT, is_secret=False)
        count = len([outbox.send_again(mail) for mail in mails])
        message = ngettext("%(count)s mail will be sent again.", "%(count)s mails will be sent again.", count)
        self.message_user(request, message % {"count": count})
        if count < queryset.count():
            note = _("Left out: mails that were never sent, and secret ones, whose text is gone.")
            self.message_user(request, note, messages.WARNING)


@admin.register(ProvenAddress)
class ProvenAddressAdmin(Unwritable, StaffAdmin):
    """Only a link that was mailed to it proves an address: orders of guests follow it."""

    list_display = ["email", "proven_at"]
    search_fields = ["email"]
