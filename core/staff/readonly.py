"""For admins of rows that staff look at and the site itself writes; to be put in front of ModelAdmin or an inline."""

from django.db.models import Model
from django.http import HttpRequest


class Unwritable:
    """Staff may look and delete."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(Unwritable):
    """Staff may look."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
