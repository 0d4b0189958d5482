from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from account.models import User
from content.templatetags.pictures import picture
from core.staff.longtables import INDEXED, LongTable, Period, Sought, begun, newest
from core.staff.modeladmin import StaffAdmin
from search import engines

from .models import Image, Like


@admin.register(Image)
class ImageAdmin(Sought, StaffAdmin):
    list_display = ["title", "thumbnail", "owner", "status", "is_private", "total_likes", "created_at"]
    list_filter = ["status", "is_private", ("created_at", Period)]
    list_select_related = ["owner"]
    search_fields = ["title", "description", "source_url", "owner__username"]
    # Whose it is and how far it has come is the site's to say: a picture that is "ready" has a file.
    readonly_fields = [
        *("thumbnail", "owner", "status", "same_as", "source_url", "page_url"),
        *("digest", "width", "height", "total_likes", "created_at"),
    ]
    exclude = ["file"]

    def ways(self, request: HttpRequest, rows: QuerySet[Image], term: str) -> Iterator[QuerySet[Image]]:
        """Look up public ones in our own index; others by whose they are, or among the newest."""
        hits = engines.search(term, kind="image", limit=INDEXED, is_typing=True).hits
        yield rows.filter(pk__in=[hit.object_id for hit in hits])
        yield self.looked_through(request, newest(rows), term)
        if self.may_search(request, "owner__username"):
            yield rows.filter(owner__in=begun(User.objects.all(), "username", [term]))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        """What a member keeps for themselves, nobody looks at but who answers for the whole site."""
        images = super().get_queryset(request)
        return images if request.user.is_superuser else images.filter(is_private=False)

    @admin.display(description=_("picture"))
    def thumbnail(self, image: Image) -> str:
        return picture(image.file, "face", alt="")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # pictures come in by the site's own form, which fetches and checks them

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        obj.remove()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        for image in queryset:
            image.remove()


@admin.register(Like)
class LikeAdmin(LongTable, StaffAdmin):
    list_display = ["user", "image", "created_at"]
    list_select_related = ["user", "image"]
    list_filter = [("created_at", Period)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Like]:
        likes = super().get_queryset(request)
        return likes if request.user.is_superuser else likes.filter(image__is_private=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Image.unlike keeps the count right; a row deleted here would not
