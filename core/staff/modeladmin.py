"""The ModelAdmin that every table of the staff's pages is built on."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

# What Django's own filters write into an address, after the name of the field.
OF_A_FILTER = ("", "__exact", "__in", "__isnull", "__isempty", "__gte", "__lt")


class StaffAdmin(admin.ModelAdmin):
    """
    Answers only the questions that its own page asks.

    Django lets an address filter by any column, so that `?secret__startswith=a` reads, letter by letter, what the page
    does not show. Here an address may filter by what stands in `list_filter` and `linked_lookups`, and a
    search looks into another table only for those who may see it.
    """

    linked_lookups: Sequence[str] = ()  # further ones, which links of ours use
    list_per_page = 25

    @admin.display(description=mark_safe('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: Model) -> SafeString:
        """Django's, but for the template that it renders for each row, a third of what the row costs."""
        label = _("Select this object for an action - {}").format(obj)
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            label,
        )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in self.linked_lookups or lookup in set(self._lookups_of_page(request))

    def _lookups_of_page(self, request: HttpRequest) -> Iterator[str]:
        for entry in self.get_list_filter(request):
            if isinstance(entry, type) and issubclass(entry, admin.SimpleListFilter):
                yield str(entry.parameter_name)
                continue
            name = str(entry[0] if isinstance(entry, tuple | list) else entry)
            yield from (f"{name}{ending}" for ending in OF_A_FILTER)
            target = _field_at(self.model, name)
            if target.is_relation:
                yield f"{name}__{target.target_field.name}__exact"

    def may_open_on_site(self, request: HttpRequest, obj: Model) -> bool:
        """Tell whether "View on site" may lead this person to the row's page."""
        return self.has_view_permission(request, obj)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [name for name in super().get_search_fields(request) if self.may_search(request, name)]

    def may_search(self, request: HttpRequest, name: str) -> bool:
        return all(may_view(request, model, self.admin_site) for model in _tables_behind(self.model, name))


def may_view(request: HttpRequest, model: type[Model], site: admin.AdminSite) -> bool:
    return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)


def _field_at(model: type[Model], path: str) -> Any:
    """Return the field that an entry of `list_filter` names, such as "order__status"."""
    field: Any = None
    current: Any = model
    for name in path.split("__"):
        field = current._meta.get_field(name)
        current = field.related_model
    return field


def _tables_behind(model: type[Model], search_field: str) -> list[type[Model]]:
    """Return the tables other than its own that an entry of `search_fields` reads."""
    names = search_field.lstrip("=^@").split("__")
    current: Any = model
    found = []
    for position, name in enumerate(names):
        field = next((field for field in current._meta.get_fields() if field.name == name), None)
        if field is None or not field.is_relation:  # a column, or a lookup such as startswith
            break
        current = field.related_model
        if names[position + 1 :] == [current._meta.pk.name]:  # the number stands in the row itself
            break
        found.append(current)
    return found
