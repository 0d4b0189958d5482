from django.contrib import admin
from django.http import HttpRequest

from core.staff.longtables import LongTable
from core.staff.modeladmin import StaffAdmin

from .models import Action, View, ViewBatch, ViewCount


class HistoryAdmin(LongTable, StaffAdmin):
    """Written by what people do; staff may read, and delete what should not be there."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Action)
class ActionAdmin(HistoryAdmin):
    list_display = ["actor", "verb", "target_kind", "target_id", "created_at"]
    list_filter = ["verb", "target_kind", "created_at"]
    list_select_related = ["actor"]
    search_fields = ["actor__username"]
    date_hierarchy = "created_at"


@admin.register(ViewCount)
class ViewCountAdmin(HistoryAdmin):
    list_display = ["target_kind", "target_id", "views"]
    list_filter = ["target_kind"]
    ordering = ["-views"]


@admin.register(View)
class ViewAdmin(HistoryAdmin):
    list_display = ["target_kind", "target_id", "seen_on", "is_counted"]
    list_filter = ["target_kind", "seen_on"]


@admin.register(ViewBatch)
class ViewBatchAdmin(HistoryAdmin):
    list_display = ["number", "added_at"]
