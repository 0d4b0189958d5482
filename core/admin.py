from django.contrib import admin
from django.http import HttpRequest

from .models import SweepRun
from .staff.modeladmin import StaffAdmin


@admin.register(SweepRun)
class SweepRunAdmin(StaffAdmin):
    list_display = ["name", "due_at", "ended_at", "has_failed"]
    list_filter = ["has_failed"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SweepRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SweepRun | None = None) -> bool:
        return False
