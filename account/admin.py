from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.longtables import LongTable
from config.readonly import Unwritable
from search import index

from . import leaving
from .models import Boundary, Follow, RecoveryCode, SecondFactor, Session, User


@admin.register(User)
class MemberAdmin(LongTable, UserAdmin):
    list_display = ["username", "email", "first_name", "is_active", "is_staff", "email_proven_at", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser", "date_joined"]
    search_fields = ["username", "email", "first_name", "last_name"]
    date_hierarchy = "date_joined"
    ordering = ["-date_joined"]
    readonly_fields = ["email_proven_at", "last_login", "date_joined"]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "email_proven_at")}),
        (_("Profile"), {"fields": ("photo", "date_of_birth", "bio", "link")}),
        (
            _("Account"),
            {
                "fields": ("is_active",),
                "description": _(
                    "Switched off, the person is logged out, and profile, pictures and acts are hidden until it is "
                    "switched on again. Their posts and comments stay: withdraw those in their own lists."
                ),
            },
        ),
        (_("Permissions"), {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    actions = ["switch_off", "switch_on", "make_nameless"]
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # likes, files and orders hang on the row: leaving.leave undoes what has to be undone

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        with transaction.atomic():
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
        if not request.user.is_superuser:
            people = people.filter(is_superuser=False)
        switched = list(people)
        for person in switched:
            person.switch(on=on)
        text = _("Accounts switched on: %(number)s") if on else _("Accounts switched off: %(number)s")
        self.message_user(request, text % {"number": len(switched)})

    @admin.action(description=_("Delete the account and what belongs to it"), permissions=["change"])
    def make_nameless(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in people.filter(is_staff=False, is_active=True):
            leaving.leave(person)


@admin.register(Session)
class SessionAdmin(Unwritable, admin.ModelAdmin):
    list_display = ["member", "browser_name", "created_at", "expire_date"]
    list_select_related = ["member"]
    fields = ["member", "device", "created_at", "expire_date"]  # never the key: it is as good as a password


@admin.register(SecondFactor)
class SecondFactorAdmin(Unwritable, admin.ModelAdmin):
    list_display = ["user", "confirmed_at"]
    list_select_related = ["user"]
    fields = ["user", "confirmed_at"]


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(Unwritable, admin.ModelAdmin):
    list_display = ["user", "used_at"]
    list_select_related = ["user"]
    fields = ["user", "used_at"]


@admin.register(Boundary)
class BoundaryAdmin(Unwritable, admin.ModelAdmin):
    list_display = ["owner", "other", "kind", "created_at"]
    list_select_related = ["owner", "other"]


@admin.register(Follow)
class FollowAdmin(admin.ModelAdmin):
    list_display = ["follower", "followed", "created_at"]
    list_select_related = ["follower", "followed"]
    raw_id_fields = ["follower", "followed"]
    date_hierarchy = "created_at"
