from django.contrib import admin

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


@admin.register(Word)
class WordAdmin(ReadOnlyAdmin):
    list_display = ["word", "documents"]
    search_fields = ["word__startswith"]


@admin.register(Trigram)
class TrigramAdmin(ReadOnlyAdmin):
    list_display = ["trigram", "word"]
    search_fields = ["=trigram"]
