from django.contrib import admin
from django.http import HttpRequest

from .models import Document, Trigram, Word


class ReadOnlyAdmin(admin.ModelAdmin):
    """The index is written by the objects it is about; a change here would be undone by their next save."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ["title", "kind", "object_id", "public_from"]
    list_filter = ["kind"]
    search_fields = ["title"]


@admin.register(Word)
class WordAdmin(ReadOnlyAdmin):
    list_display = ["word", "documents"]
    search_fields = ["word__startswith"]


@admin.register(Trigram)
class TrigramAdmin(ReadOnlyAdmin):
    list_display = ["trigram", "word"]
    search_fields = ["=trigram"]
