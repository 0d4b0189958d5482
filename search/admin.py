from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.modeladmin import StaffAdmin
from config.readonly import ReadOnly

from .models import Document, Trigram, Word


class ReadOnlyAdmin(ReadOnly, StaffAdmin):
    """The index is written by the objects it is about; a change here would be undone by their next save."""

    show_full_result_count = False


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ["title", "kind", "object_id", "public_from"]
    list_filter = ["kind"]
    search_fields = ["title"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return super().get_queryset(request).filter(public_from__lte=timezone.now())  # the others wait for their day


@admin.register(Word)
class WordAdmin(ReadOnlyAdmin):
    list_display = ["word", "documents"]
    search_fields = ["word__startswith"]


@admin.register(Trigram)
class TrigramAdmin(ReadOnlyAdmin):
    list_display = ["trigram", "word"]
    search_fields = ["=trigram"]
