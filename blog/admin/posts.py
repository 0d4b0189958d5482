from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from account.models import User
from actions import popularity
from blog import tokens
from blog.differences import differences
from blog.models import Mention, OldAddress, Post, Revision, remember
from blog.models.posts import MAX_TAGS
from content import markdown
from core.staff.longtables import INDEXED, Period, Sought, begun
from core.staff.modeladmin import StaffAdmin
from core.web.links import site_url
from search import engines


class PostForm(forms.ModelForm):
    """The editor's form. It knows which version it was made from, so that nobody overwrites unseen what another wrote."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Post
        fields = (
            *("title", "body", "excerpt", "tags", "status", "publish_at", "slug", "author", "is_open"),
            *("cover", "cover_alt"),
        )
        widgets = {
            "title": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "body": forms.Textarea(attrs={"rows": 28, "class": "vLargeTextField markdown-source"}),
            "excerpt": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("seen_version", self.instance.version if self.instance.pk else None)

    def clean_tags(self) -> list[str]:
        tags: list[str] = self.cleaned_data["tags"]
        if len(tags) > MAX_TAGS or any(len(tag) > 100 for tag in tags):
            raise forms.ValidationError(_("Take at most %d tags of at most 100 characters.") % MAX_TAGS)
        return tags

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and cleaned is not None:
            # The admin saves in the same transaction, so the lock holds until this editor's text is written.
            before = self.instance.lock()
            if before and cleaned.get("seen_version") != before["version"]:
                self._warn(before["version"])
        return cleaned

    def _warn(self, version: int) -> None:
        """Refuse once; the form then counts as having seen the newer version, and saving again replaces it."""
        self.data = self.data.copy()  # type: ignore[attr-defined]
        self.data[self.add_prefix("seen_version")] = version  # type: ignore[index]
        last = self.instance.revisions.select_related("editor").filter(version=version).first()
        who = str(last.editor) if last and last.editor else _("somebody")
        when = date_format(localtime(last.created_at), "DATETIME_FORMAT") if last else _("meanwhile")
        raise forms.ValidationError(
            _(
                "%(who)s has changed this post (%(when)s) while you were writing. Nothing of yours is saved yet. Compare "
                "with the newest revision, take over what you want to keep, and save again to replace it by your text; "
                "theirs stays among the revisions."
            )
            % {"who": who, "when": when},
            code="changed",
        )


class OldAddressInline(admin.TabularInline):
    model = OldAddress
    extra = 0
    verbose_name_plural = gettext_lazy("old addresses, which lead here")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Post)
class PostAdmin(Sought, StaffAdmin):
    form = PostForm
    list_display = ["title", "author", "standing", "publish_at", "comment_count", "views"]
    list_filter = ["status", ("publish_at", Period), "is_open"]
    ordering = ["status", "-publish_at", "-id"]  # drafts first; there is an index for it
    list_select_related = ["author"]
    show_facets = admin.ShowFacets.ALLOW
    search_fields = ["title", "summary", "body", "author__username"]
    prepopulated_fields = {"slug": ["title"]}
    raw_id_fields = ["author"]
    readonly_fields = ["comment_count", "views", "created_at", "updated_at"]
    actions = ["publish", "withdraw"]
    change_form_template = "admin/blog/post/change_form.html"
    fieldsets = [
        (None, {"fields": ["title", "body", "excerpt", "tags", "seen_version"]}),
        (gettext_lazy("Publishing"), {"fields": ["status", "publish_at", "slug", "author", "is_open"]}),
        (gettext_lazy("Cover"), {"fields": ["cover", "cover_alt"]}),
        (gettext_lazy("Numbers"), {"fields": ["comment_count", "views", "created_at", "updated_at"]}),
    ]

    class Media:
        js = ["js/post_form.js"]
        css = {"all": ["css/code.css", "css/post_form.css"]}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Post]:
        return popularity.with_views(super().get_queryset(request))

    def ways(self, request: HttpRequest, rows: models.QuerySet[Post], term: str) -> Iterator[models.QuerySet[Post]]:
        """Look up in our own index what is public, and look through the rest."""
        hits = engines.search(term, kind="post", limit=INDEXED, is_typing=True).hits
        yield rows.filter(pk__in=[hit.object_id for hit in hits])
        yield self.looked_through(request, rows.filter(status=Post.Status.DRAFT), term)
        yield self.looked_through(
            request, rows.filter(status=Post.Status.PUBLISHED, publish_at__gt=timezone.now()), term
        )
        if self.may_search(request, "author__username"):
            yield rows.filter(author__in=begun(User.objects.all(), "username", [term]))

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def standing(self, post: Post) -> str:
        if post.status == Post.Status.PUBLISHED and not post.is_public:
            return _("scheduled")
        return post.get_status_display()

    @admin.display(description=gettext_lazy("views"), ordering="view_count")
    def views(self, post: Any) -> int:
        return getattr(post, "view_count", 0)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Let only those who may change every post say whose it is; anybody else writes in their own name."""
        may_choose = request.user.has_perm("blog.change_post")
        return [*self.readonly_fields, *([] if may_choose else ["author"])]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"author": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Post, form: Any, change: bool) -> None:  # noqa: FBT001
        if not change and "author" not in form.fields:
            obj.author = request.user  # type: ignore[assignment]
        if change:  # what stands there may come from an import or a program, which keep no revisions
            remember(Post.objects.get(pk=obj.pk), None)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        remember(form.instance, request.user)

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [OldAddressInline] if obj and obj.old_addresses.exists() else []

    def view_on_site(self, obj: Post) -> str:
        return obj.get_absolute_url() if obj.is_public else reverse("admin:blog_post_preview", args=[obj.pk])

    @admin.action(description=gettext_lazy("Publish the selected posts"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: Any) -> None:
        self._tell(request, queryset.set_status(Post.Status.PUBLISHED))

    @admin.action(description=gettext_lazy("Turn the selected posts into drafts"), permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: Any) -> None:
        self._tell(request, queryset.set_status(Post.Status.DRAFT))

    def _tell(self, request: HttpRequest, number: int) -> None:
        self.message_user(request, ngettext("%d post changed.", "%d posts changed.", number) % number, messages.SUCCESS)

    # --- Pages of its own -----------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("render/", wrap(self.render_view), name="blog_post_render"),
            path("<int:post_id>/preview/", wrap(self.preview_view), name="blog_post_preview"),
            path("<int:post_id>/preview-link/", wrap(self.preview_link_view), name="blog_post_preview_link"),
            path("<int:post_id>/revisions/", wrap(self.revisions_view), name="blog_post_revisions"),
            path("<int:post_id>/revisions/<int:version>/", wrap(self.revision_view), name="blog_post_revision"),
        ]
        return own + super().get_urls()

    def render_view(self, request: HttpRequest) -> HttpResponse:
        """Show the Markdown of the form as it will look: a page of its own, or the part that the script puts in."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.has_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        post = Post(title=request.POST.get("title", "")[:200], body=request.POST.get("body", ""))
        try:
            post.body_html = post.rendered()
        except markdown.Refused:
            return HttpResponse(_("This Markdown is too long, or takes too long to turn into a page."), status=422)
        is_part = request.headers.get("X-Requested-With") == "fetch"
        return render(request, f"admin/blog/post/{'_rendered' if is_part else 'rendered'}.html", {"post": post})

    def preview_view(self, request: HttpRequest, post_id: int) -> HttpResponse:
        """Show a draft to staff who may see it; a link that opens it for others is handed out to editors only."""
        post = get_object_or_404(Post.objects.select_related("author"), pk=post_id)
        if not self.has_view_permission(request, post):
            raise PermissionDenied
        return render(request, "blog/post_preview.html", {"post": post})

    def preview_link_view(self, request: HttpRequest, post_id: int) -> HttpResponse:
        post = self._post(request, post_id)
        if request.method == "POST":
            post.revoke_preview_links()
            self.message_user(request, _("All earlier preview links are dead now."), messages.SUCCESS)
            return redirect("admin:blog_post_preview_link", post.pk)
        link = site_url(preview_path(post))
        return self._page(request, "preview_link", post, link=link, days=tokens.PREVIEW_DAYS)

    def revisions_view(self, request: HttpRequest, post_id: int) -> HttpResponse:
        post = self._post(request, post_id)
        return self._page(request, "revisions", post, revisions=post.revisions.select_related("editor")[:200])

    def revision_view(self, request: HttpRequest, post_id: int, version: int) -> HttpResponse:
        """Show how a revision differs from the text of today, and bring it back on POST."""
        post = self._post(request, post_id)
        revision = get_object_or_404(post.revisions.select_related("editor"), version=version)
        if request.method == "POST":
            return self._restore(request, post, revision)
        return self._page(request, "revision", post, revision=revision, differences=differences(revision, post))

    def _restore(self, request: HttpRequest, post: Post, revision: Revision) -> HttpResponseRedirect:
        if request.POST.get("seen_version") != str(post.version):
            text = _("The post has changed while you looked at this. Nothing was restored; please look again.")
            self.message_user(request, text, messages.WARNING)
            return redirect("admin:blog_post_revision", post.pk, revision.version)
        revision.restore(request.user)
        self.log_change(request, post, _("Restored version %d.") % revision.version)
        text = _("Version %d is the text again. What it replaced is kept as a revision.") % revision.version
        self.message_user(request, text, messages.SUCCESS)
        return redirect("admin:blog_post_change", post.pk)

    def _post(self, request: HttpRequest, post_id: int) -> Post:
        post = get_object_or_404(Post, pk=post_id)
        if not self.has_change_permission(request, post):
            raise PermissionDenied
        return post

    def _page(self, request: HttpRequest, name: str, post: Post, **context: Any) -> HttpResponse:
        site = self.admin_site.each_context(request)
        return render(request, f"admin/blog/post/{name}.html", {**site, "opts": self.opts, "post": post, **context})


def preview_path(post: Post) -> str:
    return reverse("blog:post_preview", args=[tokens.preview_token(post.pk, post.preview_key)])


class Shown(StaffAdmin):
    """Rows that the site writes itself: to be looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Revision)
class RevisionAdmin(Shown):
    list_display = ["title", "version", "post", "editor", "created_at"]
    list_select_related = ["post", "editor"]
    search_fields = ["title", "body"]


@admin.register(OldAddress)
class OldAddressAdmin(Shown):
    list_display = ["publish_on", "slug", "post"]
    list_select_related = ["post"]
    search_fields = ["slug"]


@admin.register(Mention)
class MentionAdmin(Shown):
    list_display = ["place", "post"]
    list_select_related = ["post"]
    search_fields = ["place"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
