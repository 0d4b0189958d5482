"""
Every permission alone: what it opens, shows and changes is what tests/permission_table.py says, and nothing more.

Each permission of each table is given to a member of staff who has no other. They ask for every page of the admin that
belongs to the table, use every filter and action there, search for every word they should not know, and send forms that
try to set everything. Pages of other tables are asked for with all other permissions together: what stays shut then
stays shut for each of them.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.cache import cache as django_cache
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import models, transaction
from django.http import Http404, HttpResponse
from django.test import RequestFactory, TestCase
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils import timezone

from account.models import User
from account.tests.factories import make_user
from core.staff.modeladmin import StaffAdmin
from orders.models import Order
from payment.models import Refund

from .permission_rows import Rows, everything
from .permission_table import NEVER_CHANGED, NEVER_SHOWN, PAGES, TABLES, Table

VERBS = ("view", "add", "change", "delete")
LOOKUPS = ("exact", "isnull", "isempty", "gte")
LOGS = {"admin.LogEntry"}
RIGHTS = User.user_permissions.through


def tables() -> dict[type[models.Model], StaffAdmin]:
    return dict(admin.site._registry)  # type: ignore[arg-type]


def words(text: str) -> set[str]:
    return set(text.split())


class Walker(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.rows = Rows()
        cls.staff = make_user("helper")
        cls.staff.is_staff = True
        cls.staff.save()
        cls.boss = make_user("boss", staff=True)
        cls.before = everything()

    def only(self, *permissions: Permission) -> User:
        """Give the member of staff these permissions and no other."""
        self.staff.user_permissions.set(permissions)
        return User.objects.get(pk=self.staff.pk)

    def ask(
        self, user: User, path: str, data: Any = None, *, post: bool = False, drawn: bool = True
    ) -> tuple[int, str]:
        """Return status and text of the view behind the address; what it raises by mistake fails the test."""
        factory = RequestFactory()
        request: Any = factory.post(path, data or {}) if post else factory.get(path, data or {})
        request.user, request.session, request.htmx = user, SessionStore(), False
        request.csp_nonce, request._dont_enforce_csrf_checks = "", True
        request._messages = CookieStorage(request)
        request.resolver_match = match = resolve(path)
        try:
            answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except PermissionDenied:
            return 403, ""
        except Http404:
            return 404, ""
        except SuspiciousOperation:
            return 400, ""
        if hasattr(answer, "render"):
            if not drawn:
                return answer.status_code, ""
            answer.render()
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        told = " ".join(str(message) for message in request._messages)
        return answer.status_code, f"{text.decode(errors='replace')} {answer.headers} {told}"


def permissions() -> list[Permission]:
    return list(Permission.objects.select_related("content_type").order_by("pk"))


def verb_of(permission: Permission) -> str:
    return permission.codename.partition("_")[0]


def filled_in(pattern: URLPattern, row: models.Model) -> str:
    known = {"object_id": row.pk, "id": row.pk, "post_id": row.pk, "version": 1}
    parts = pattern.pattern.converters or dict.fromkeys(re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern)))
    return reverse(f"admin:{pattern.name}", kwargs={part: known[part] for part in parts})


def list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


class OtherPages(Walker):
    def test_no_permission_opens_what_is_anothers(self):
        """Ask for a table's pages with every permission but its own."""
        wrong = []
        everything_else = permissions()
        for model, table in tables().items():
            kind = ContentType.objects.get_for_model(model).pk
            user = self.only(*(each for each in everything_else if each.content_type_id != kind))
            for pattern in table.get_urls():
                if pattern.name:
                    path = filled_in(pattern, self.rows.of[model])
                    answers = {self.ask(user, path)[0], self.ask(user, path, {"post": "yes"}, post=True)[0]}
                    wrong += [(path, answers)] if answers - {403, 404, 405} else []
        assert wrong == []

    def test_pages_of_staff_outside_the_admin_open_for_their_permission_only(self):
        order, refund = self.rows.row(Order), self.rows.row(Refund)
        known = {"order_id": order.pk, "refund_id": refund.pk}
        found = dict(staff_views(get_resolver()))
        assert set(found) == set(PAGES)
        for name, pattern in found.items():
            path = reverse(name, kwargs={part: known[part] for part in pattern.pattern.converters})
            app_label, _, codename = PAGES[name].partition(".")
            its = Permission.objects.get(content_type__app_label=app_label, codename=codename)
            others = self.only(*(each for each in permissions() if each != its))
            answers = {self.ask(others, path)[0], self.ask(others, path, {"how": "x"}, post=True)[0]}
            assert 403 in answers, name
            assert not answers - {403, 405}, name
            # No such paper: a PDF takes a second to draw.
            assert self.ask(self.only(its), path, {"label": "none"})[0] in (200, 404, 405), name

    def test_staff_without_any_permission_see_nothing(self):
        user = self.only()
        for name in ("admin:index", "admin:password_change", "admin:jsi18n"):
            status, text = self.ask(user, reverse(name))
            assert status == 200, name
            assert self.rows.shown(text) == set(), name
        query = {"app_label": "blog", "model_name": "tagalias", "field_name": "tag"}
        assert self.ask(user, reverse("admin:autocomplete"), query)[0] == 403


def staff_views(resolver: Any, namespace: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and pattern of every view outside the admin that is for staff."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if str(pattern.pattern) != "admin/":
                yield from staff_views(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif is_for_staff(pattern.callback):
            yield f"{namespace}{pattern.name}", pattern


def is_for_staff(view: Any) -> bool:
    """Look through what wraps a view for Django's staff_member_required."""
    while view:
        inside = [cell.cell_contents for cell in getattr(view, "__closure__", None) or ()]
        if any(getattr(each, "__qualname__", "").startswith("staff_member_required") for each in inside):
            return True
        view = getattr(view, "__wrapped__", None)
    return False


class EveryPermissionAlone(Walker):
    def test_every_table_and_permission_has_its_line(self):
        labels = {model._meta.label for model in apps.get_models()}
        own = {
            f"{permission.content_type.app_label}.{permission.codename}"
            for permission in permissions()
            if verb_of(permission) not in VERBS
        }

        assert set(TABLES) == labels
        assert {name for table in TABLES.values() for name in words(table.own)} == own

    def test_it_opens_what_the_table_says(self):
        for permission in permissions():
            user = self.only(permission)
            request = RequestFactory().get("/")
            request.user = user
            for model, table in tables().items():
                is_its = permission.content_type_id == ContentType.objects.get_for_model(model).pk
                expected = opened(TABLES[model._meta.label], verb_of(permission)) if is_its else set()
                found = {verb for verb in VERBS if getattr(table, f"has_{verb}_permission")(request)}
                assert found == expected, (permission.codename, model._meta.label)

    def test_pages_show_and_forms_change_what_the_table_says(self):
        wrong = []
        for model, table in tables().items():
            for verb in VERBS:
                name = f"{verb}_{model._meta.model_name}"
                permission = Permission.objects.get(content_type__app_label=model._meta.app_label, codename=name)
                wrong += self._walk(self.only(permission), model, table, verb)
        assert wrong == []

    def _walk(self, user: User, model: Any, table: StaffAdmin, verb: str) -> Iterator[str]:
        meaning, name = TABLES[model._meta.label], f"{model._meta.app_label}.{verb}_{model._meta.model_name}"
        may_show = meaning.shown(model, verb)
        for path in self._addresses(model, table, verb):
            status, text = self.ask(user, path)
            assert status < 500, (name, path, status)
            shown = self.rows.shown(text)
            if too_much := shown - may_show | shown & NEVER_SHOWN:
                yield f"{name} shows at {path}: {' '.join(sorted(too_much))}"
        if verb == "view":
            self._filter(user, model, table)
            yield from self._search(user, model, table, name, may_show)
        changed = self._changed(user, model, table, name)
        if changed != words(getattr(meaning, verb)):
            yield f"{name} changes: {' '.join(sorted(changed))}"

    def _addresses(self, model: Any, table: StaffAdmin, verb: str) -> Iterator[str]:
        for pattern in table.get_urls():
            if pattern.name:
                yield filled_in(pattern, self.rows.of[model])
        kind = ContentType.objects.get_for_model(model).pk
        yield reverse("admin:view_on_site", args=[kind, self.rows.of[model].pk])
        if verb == "view":
            yield reverse("admin:index")

    def _filter(self, user: User, model: Any, table: StaffAdmin) -> None:
        """Ask for every filter of the list, with what belongs there and with what does not."""
        request = RequestFactory().get("/")
        request.user = user
        names = [name[0] if isinstance(name, tuple) else name for name in table.get_list_filter(request)]
        queries = [{f"{name}__{lookup}": value} for name in names for lookup in LOOKUPS for value in ("1", "x")]
        queries += [{"_facets": "True", "o": "1.-2.99", "p": "9", "all": ""}, {"_to_field": "email", "_popup": "1"}]
        for query in queries:
            status, _text = self.ask(user, list_of(model), query, drawn=False)
            assert status < 500, (model, query, status)

    def _search(self, user: User, model: Any, table: StaffAdmin, name: str, may_show: set[str]) -> Iterator[str]:
        """Search for every word: one that the pages do not show must not find its row either."""
        request = RequestFactory().get("/")
        request.user = user
        if not table.has_view_permission(request):
            return
        for word, column in self.rows.columns.items():
            if column not in may_show or column in NEVER_SHOWN:
                found, _is_double = table.get_search_results(request, table.get_queryset(request), word)
                if table.get_search_fields(request) and found.exists():
                    yield f"{name} finds {column}"

    def _changed(self, user: User, model: Any, table: StaffAdmin, name: str) -> set[str]:
        """Send every form and every action of the table, and return which tables hold something else then."""
        before = self.before | everything(RIGHTS)
        with transaction.atomic():
            for path, data in self._forms(user, model, table):
                with transaction.atomic():
                    status, _text = self.ask(user, path, data, post=True)
                assert status < 500, (name, path, status)
            after = everything()
            transaction.set_rollback(True)
        django_cache.clear()
        columns = {column for column in after if after[column] != before[column]}
        assert not columns & NEVER_CHANGED, (name, columns & NEVER_CHANGED)
        return {column.rpartition(".")[0] for column in columns} - LOGS

    def _forms(self, user: User, model: Any, table: StaffAdmin) -> Iterator[tuple[str, dict[str, Any]]]:
        row, data = self.rows.of[model], hostile(self.rows.of[model], table, user)
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listing = reverse(f"{base}_changelist")
        request = RequestFactory().get("/")
        request.user = self.boss
        for action in table.get_actions(request):
            if action != "delete_selected":
                yield listing, {"action": action, "_selected_action": [row.pk], "post": "yes", "target": row.pk}
        yield listing, {**data, **listed(row, table), "_save": "Save"}
        for pattern in table.get_urls():
            if pattern.name and pattern.name not in without_form(model):
                yield filled_in(pattern, row), data
        for_good = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        yield listing, for_good
        yield reverse(f"{base}_delete", args=[row.pk]), {"post": "yes"}


def without_form(model: Any) -> set[str]:
    """Return the pages that are read only, or whose form is sent last."""
    return {f"{model._meta.app_label}_{model._meta.model_name}_{page}" for page in ("changelist", "history", "delete")}


def opened(meaning: Table, verb: str) -> set[str]:
    """Return what Django's four questions answer; who may change may also look."""
    its = {"view", "change"} if verb == "change" else {verb}
    return its & words(meaning.opens)


def hostile(row: models.Model, table: StaffAdmin, user: User) -> dict[str, Any]:
    """Return a form that tries to set every column: rights to yes, addresses and people to the sender's own."""
    data: dict[str, Any] = {"password1": "a-long-enough-phrase", "password2": "a-long-enough-phrase"}
    for field in [*row._meta.concrete_fields, *row._meta.many_to_many]:
        data |= {name: value for name, value in filled(row, field, user).items() if value is not None}
    for inline in table.inlines:
        prefix = inline.model._meta.get_field(  # the reverse accessor is the formset's prefix
            next(f.name for f in inline.model._meta.fields if f.is_relation and f.related_model is type(row))
        ).remote_field.get_accessor_name(model=inline.model)
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return data


def filled(row: models.Model, field: Any, user: User) -> dict[str, Any]:
    name = field.name
    if field.is_relation:
        model = field.remote_field.model
        mine = user.pk if model is User else model._default_manager.values_list("pk", flat=True).first()
        return {name: [mine] if field.many_to_many else mine}
    if isinstance(field, models.DateTimeField):
        now = timezone.localtime() + timedelta(days=name.endswith("_to"))
        return {f"{name}_0": f"{now:%Y-%m-%d}", f"{name}_1": f"{now:%H:%M:%S}"}
    return {} if isinstance(field, models.FileField) else {name: typed(row, field)}


def typed(row: models.Model, field: Any) -> Any:
    if isinstance(field, models.BooleanField):
        return "on"
    if field.choices:
        return field.choices[-1][0]
    if isinstance(field, models.DateField):
        return f"{timezone.localdate():%Y-%m-%d}"
    if isinstance(field, models.EmailField):
        return "mine@example.com"
    is_long = isinstance(field, models.CharField | models.TextField) and (field.max_length or 6) >= 6
    return "another" if is_long else str(getattr(row, field.name) or "")


def listed(row: models.Model, table: StaffAdmin) -> dict[str, Any]:
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", f"form-0-{row._meta.pk.name}": row.pk}
    return form | {f"form-0-{name}": "7" for name in table.list_editable}
