"""The staff's site under /admin/."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import get_script_prefix, path
from django.utils.translation import get_language

from core.caching.memory import cached_shown

from .modeladmin import StaffAdmin


class StaffSite(admin.AdminSite):
    """
    Django's, with our own tables only.

    Packages bring pages for theirs: sessions of Google accounts that whoever may add one links to a superuser, locked
    addresses, an action without a permission. They register them beside ours, and we would have to examine each.
    """

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[admin.ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        if admin_class and issubclass(admin_class, StaffAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[Any]:
        own = path("r/<path:content_type_id>/<path:object_id>/", self.admin_view(self.open_on_site))
        return [own, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Django's, made once for all who may do the same: it stands on every page, and asks four times of each table."""
        user = request.user
        may = () if user.is_superuser else tuple(sorted(user.get_all_permissions()))
        key = ("app list", app_label, get_language(), get_script_prefix(), user.is_superuser, may)
        return cached_shown(key, partial(super().get_app_list, request, app_label))

    def open_on_site(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
        """Lead to the object's page; Django's own view does so for any row, and an order's address is its key."""
        if not content_type_id.isdecimal():
            raise Http404
        model = get_object_or_404(ContentType, pk=content_type_id).model_class()
        if model is None or not self.is_registered(model):
            raise Http404
        table = self.get_model_admin(model)
        found = table.get_object(request, unquote(object_id))
        if found is None or not table.view_on_site or not isinstance(table, StaffAdmin):
            raise Http404
        if not table.may_open_on_site(request, found):
            raise PermissionDenied
        return shortcut(request, content_type_id, found.pk)
