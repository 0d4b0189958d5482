from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.staff.longtables import LongTable
from core.staff.modeladmin import StaffAdmin
from core.staff.readonly import ReadOnly

from .models import Document, Trigram, Word
from .registry import registrations
from .unspaced import put_together


class ReadOnlyAdmin(LongTable, ReadOnly, StaffAdmin):
    """The index is written by the objects it is about; a change here would be undone by their next save."""


class KindFilter(admin.SimpleListFilter):
    """Django's would read every row to say which kinds there are, on PostgreSQL."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.kind, each.kind) for each in registrations()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ["shown", "kind", "object_id", "public_from"]
    list_filter = [KindFilter]
    search_fields = ["title"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return super().get_queryset(request).filter(public_from__lte=timezone.now())  # the others wait for their day

    @admin.display(description=_("title"), ordering="title")
    def shown(self, document: Document) -> str:
        return put_together(document.title)


class VocabularyAdmin(ReadOnlyAdmin):
    """Words of people and pictures that a member of staff may not see stand here too, so it is for superusers."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


@admin.register(Word)
class WordAdmin(VocabularyAdmin):
    list_display = ["word", "documents"]
    search_fields = ["word__startswith"]


@admin.register(Trigram)
class TrigramAdmin(VocabularyAdmin):
    list_display = ["trigram", "word"]
    search_fields = ["=trigram"]
