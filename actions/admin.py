from collections.abc import Iterator

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest

from core.staff.longtables import Lately, LongTable, Period, Sought, begun
from core.staff.modeladmin import StaffAdmin

from .models import Action, View, ViewBatch, ViewCount


class HistoryAdmin(LongTable, StaffAdmin):
    """Written by what people do; staff may read, and delete what should not be there."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Action)
class ActionAdmin(Sought, HistoryAdmin):
    list_display = ["actor", "verb", "target_kind", "target_id", "created_at"]
    list_filter = ["verb", ("target_kind", Lately), ("created_at", Period)]
    list_select_related = ["actor"]
    ordering = ["-id"]
    search_fields = ["actor__username"]

    def ways(self, request: HttpRequest, rows: QuerySet[Action], term: str) -> Iterator[QuerySet[Action]]:
        if self.may_search(request, "actor__username"):
            yield rows.filter(actor__in=begun(get_user_model().objects.all(), "username", [term]))


@admin.register(ViewCount)
class ViewCountAdmin(HistoryAdmin):
    list_display = ["target_kind", "target_id", "views"]
    list_filter = [("target_kind", Lately)]
    ordering = ["target_kind", "-views", "target_id"]


@admin.register(View)
class ViewAdmin(HistoryAdmin):
    list_display = ["target_kind", "target_id", "seen_on", "is_counted"]
    list_filter = [("target_kind", Lately), "seen_on"]


@admin.register(ViewBatch)
class ViewBatchAdmin(HistoryAdmin):
    list_display = ["number", "added_at"]
