from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import AnonymousUser, Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.staff.longtables import INDEXED, LongTable, Period, Sought, begun
from core.staff.modeladmin import StaffAdmin
from core.staff.readonly import ReadOnly, Unwritable
from search import engines, index

from . import leaving, registration, second_factor
from .models import Follow, MuteOrBlock, RecoveryCode, SecondFactor, User

RIGHTS: list[Any] = ["is_staff", "is_superuser", "groups", "user_permissions"]


class SuperusersOnly:
    def _is_superuser(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    has_module_permission = has_view_permission = has_add_permission = _is_superuser
    has_change_permission = has_delete_permission = _is_superuser


@admin.register(Group)
class StaffGroupAdmin(SuperusersOnly, StaffAdmin, GroupAdmin):
    """Whoever may change a group may give themselves every permission there is, and is as good as a superuser."""


def may_manage(staff: User | AnonymousUser, person: User) -> bool:
    """
    Tell whether somebody may change the other's account.

    A new address or password is a way into the account, so nobody may set those of a person with more rights; and only
    superusers decide about colleagues.
    """
    if staff.is_superuser:
        return True
    if person.is_staff or person.is_superuser:
        return False
    return person.get_all_permissions() <= staff.get_all_permissions()


@admin.register(User)
class MemberAdmin(Sought, StaffAdmin, UserAdmin):
    list_display = ["username", "email", "first_name", "is_active", "is_staff", "email_proven_at", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser", ("date_joined", Period)]
    search_fields = ["username", "email", "first_name", "last_name"]
    ordering = ["-id"]
    readonly_fields = ["email_proven_at", "has_second_factor", "last_login", "date_joined"]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "email_proven_at")}),
        (_("Profile"), {"fields": ("photo", "date_of_birth", "bio", "link")}),
        (
            _("Account"),
            {
                "fields": ("is_active", "has_second_factor"),
                "description": _(
                    "Switched off, the person is logged out, and profile, pictures and acts are hidden until it is "
                    "switched on again. Their posts and comments stay: withdraw those in their own lists."
                ),
            },
        ),
        (_("Permissions"), {"fields": RIGHTS}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    actions = ["switch_off", "switch_on", "make_nameless", "remove_second_factor"]
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),)

    def ways(self, request: HttpRequest, rows: QuerySet[User], term: str) -> Iterator[QuerySet[User]]:
        """Look up in our own index who is switched on, and look through the others."""
        yield begun(rows, "username", [term])
        yield begun(rows, "email", [term])
        hits = engines.search(term, kind="person", limit=INDEXED, is_typing=True).hits
        yield rows.filter(pk__in=[hit.object_id for hit in hits])
        yield self.looked_through(request, rows.filter(is_active=False), term)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # likes, files and orders hang on the row: leaving.leave undoes what has to be undone

    def has_remove_second_factor_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        return [*self.readonly_fields, *([] if request.user.is_superuser else RIGHTS)]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        with transaction.atomic():
            if change and "email" in form.changed_data:
                registration.move_address(obj, old=form.initial["email"])
            else:
                super().save_model(request, obj, form, change)
            if "is_active" in form.changed_data and change:
                obj.switch(on=obj.is_active)
            else:
                index.write(obj)

    @admin.action(description=_("Switch off: log out, hide profile and pictures"), permissions=["change"])
    def switch_off(self, request: HttpRequest, people: QuerySet[User]) -> None:
        self._switch(request, people.exclude(username=request.user.get_username()).filter(is_active=True), on=False)

    @admin.action(description=_("Switch on again"), permissions=["change"])
    def switch_on(self, request: HttpRequest, people: QuerySet[User]) -> None:
        # Who has left for good has no address any more and stays away.
        self._switch(request, people.filter(is_active=False).exclude(email__endswith=leaving.NOWHERE), on=True)

    def _switch(self, request: HttpRequest, people: QuerySet[User], *, on: bool) -> None:
        switched = [person for person in people if may_manage(request.user, person)]
        for person in switched:
            person.switch(on=on)
        text = _("Accounts switched on: %(number)s") if on else _("Accounts switched off: %(number)s")
        self.message_user(request, text % {"number": len(switched)})

    @admin.action(description=_("Delete the account and what belongs to it"), permissions=["change"])
    def make_nameless(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in people.filter(is_staff=False, is_active=True):
            if may_manage(request.user, person):
                leaving.leave(person)

    @admin.action(
        description=_("Remove the second factor, after you made sure who asks"), permissions=["remove_second_factor"]
    )
    def remove_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        helped = list(people.filter(has_second_factor=True))
        for person in helped:
            second_factor.remove(person)
            self.log_change(request, person, _("Removed the second factor."))
        self.message_user(request, _("Second factors removed: %(number)s") % {"number": len(helped)})


@admin.register(SecondFactor)
class SecondFactorAdmin(ReadOnly, StaffAdmin):
    list_display = ["user", "confirmed_at"]
    list_select_related = ["user"]
    fields = ["user", "confirmed_at"]  # removed with all that belongs to it by an action of the member's list


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ReadOnly, StaffAdmin):
    list_display = ["user", "used_at"]
    list_select_related = ["user"]
    fields = ["user", "used_at"]


@admin.register(MuteOrBlock)
class MuteOrBlockAdmin(Unwritable, StaffAdmin):
    list_display = ["owner", "other", "kind", "created_at"]
    list_select_related = ["owner", "other"]


@admin.register(Follow)
class FollowAdmin(LongTable, Unwritable, StaffAdmin):
    """People follow by themselves: User.follow keeps to their blocks."""

    list_display = ["follower", "followed", "created_at"]
    list_select_related = ["follower", "followed"]
    list_filter = [("created_at", Period)]
