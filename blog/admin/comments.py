from collections.abc import Iterator

from django.contrib import admin, messages
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from blog.models import BannedAddress, Comment
from core.staff.longtables import INDEXED, Period, Sought, begun, newest
from core.staff.modeladmin import StaffAdmin
from search import engines


@admin.register(Comment)
class CommentAdmin(Sought, StaffAdmin):
    list_display = ["name", "email", "shortened", "post", "state", "created_at"]
    list_filter = ["state", ("created_at", Period)]
    list_select_related = ["post"]
    show_facets = admin.ShowFacets.ALLOW
    search_fields = ["name", "email", "body", "post__title"]
    search_help_text = _(
        "Beginning of the e-mail, or the post; of what waits and of the newest thousand also name and words."
    )
    ordering = ["-id"]
    readonly_fields = ["post", "author", "name", "email", "created_at"]  # who said it where is not for others to say
    actions = ["approve", "hide", "ban"]

    def ways(
        self, request: HttpRequest, rows: models.QuerySet[Comment], term: str
    ) -> Iterator[models.QuerySet[Comment]]:
        yield begun(rows, "email", [term])
        yield self.looked_through(request, rows.filter(state=Comment.State.WAITING), term)
        yield self.looked_through(request, newest(rows), term)
        hits = engines.search(term, kind="post", limit=INDEXED, is_typing=True).hits
        if self.may_search(request, "post__title"):
            yield rows.filter(post__in=[hit.object_id for hit in hits])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people write under the post, each in their own name

    @admin.display(description=_("comment"))
    def shortened(self, comment: Comment) -> str:
        return comment.body[:100]

    def save_model(self, request: HttpRequest, obj: Comment, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        """Let move() change the state of an old comment, so that the post's number follows."""
        state = obj.state
        if change:
            obj.state = form.initial["state"]
        super().save_model(request, obj, form, change)
        if change:
            obj.move(state)

    @admin.action(description=_("Approve the selected comments"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: models.QuerySet[Comment]) -> None:
        self._move(request, queryset, Comment.State.APPROVED)

    @admin.action(description=_("Hide the selected comments"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: models.QuerySet[Comment]) -> None:
        self._move(request, queryset, Comment.State.HIDDEN)

    @admin.action(description=_("Ban these addresses and hide all their comments"), permissions=["change"])
    def ban(self, request: HttpRequest, queryset: models.QuerySet[Comment]) -> None:
        hidden = sum(BannedAddress.ban(email) for email in {comment.email.lower() for comment in queryset})
        self._tell(request, hidden)

    def _move(self, request: HttpRequest, queryset: models.QuerySet[Comment], state: str) -> None:
        self._tell(request, sum(comment.move(state) for comment in queryset))

    def _tell(self, request: HttpRequest, number: int) -> None:
        text = ngettext("%d comment changed.", "%d comments changed.", number)
        self.message_user(request, text % number, messages.SUCCESS)


@admin.register(BannedAddress)
class BannedAddressAdmin(StaffAdmin):
    list_display = ["email", "reason", "created_at"]
    search_fields = ["email", "reason"]
