from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from blog.models import PostCount, Tag, TagAlias
from core.staff.modeladmin import StaffAdmin


class MergeForm(forms.Form):
    target = forms.ModelChoiceField(
        Tag.objects.none(), label=gettext_lazy("Tag that stays"), widget=forms.RadioSelect, empty_label=None
    )


@admin.register(Tag)
class TagAdmin(StaffAdmin):
    list_display = ["name", "slug", "post_count"]
    search_fields = ["name", "slug"]
    readonly_fields = ["post_count"]
    actions = ["merge"]

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Tag]) -> None:
        with transaction.atomic():
            for tag in queryset:
                tag.delete()

    @admin.action(description=gettext_lazy("Merge the selected tags into one"), permissions=["change", "delete"])
    def merge(self, request: HttpRequest, queryset: models.QuerySet[Tag]) -> HttpResponse | None:
        """Ask which of them stays; the addresses of the others lead to it from then on."""
        largest = queryset.order_by("-post_count", "name").first()
        form = MergeForm(request.POST if "target" in request.POST else None, initial={"target": largest})
        form.fields["target"].queryset = queryset  # type: ignore[attr-defined]
        if not form.is_valid():
            context = {**self.admin_site.each_context(request), "form": form, "tags": queryset, "opts": self.opts}
            return render(request, "admin/blog/tag/merge.html", context)
        target = form.cleaned_data["target"]
        with transaction.atomic():
            for tag in queryset.exclude(pk=target.pk):
                tag.merge_into(target)
        self.message_user(request, _("The posts are all tagged “%s” now.") % target, messages.SUCCESS)
        return None


@admin.register(TagAlias)
class TagAliasAdmin(StaffAdmin):
    list_display = ["slug", "tag"]
    list_select_related = ["tag"]
    search_fields = ["slug", "tag__name"]
    autocomplete_fields = ["tag"]


@admin.register(PostCount)
class TallyAdmin(StaffAdmin):
    """Kept numbers: shown, not edited."""

    list_display = ["name", "posts"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
