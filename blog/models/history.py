"""What posts were: earlier texts, and the addresses at which they once stood."""

from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from .posts import Post

TEXT = ("title", "excerpt", "body")


class Revision(models.Model):
    """The text of a post as one editor left it. `version` is the post's at that moment."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="revisions", verbose_name=_("post"))
    version = models.PositiveIntegerField(_("version"))
    title = models.CharField(_("title"), max_length=200)
    excerpt = models.TextField(_("excerpt"), blank=True)
    body = models.TextField(_("body"))
    tags = models.JSONField(_("tags"), default=list)
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("editor"),
    )
    created_at = models.DateTimeField(_("written at"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["post", "version"], name="blog_revision_once_a_version")]
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")

    def __str__(self) -> str:
        return f"{self.title} ({self.version})"

    def restore(self, editor: Any) -> Post:
        """Make this the text again. What stood there until now stays a revision, so nothing is lost."""
        with transaction.atomic():
            post = Post.objects.select_for_update().get(pk=self.post_id)
            remember(post, None)
            for name in TEXT:
                setattr(post, name, getattr(self, name))
            post.save()
            post.tags.set(self.tags)
            remember(post, editor)
        return post


def remember(post: Post, editor: Any) -> Revision | None:
    """Keep the post's text as a revision, unless it is the same as in the last one."""
    tags = [tag["name"] for tag in post.tag_list]
    last = post.revisions.first()
    if last and all(getattr(last, name) == getattr(post, name) for name in TEXT) and last.tags == tags:
        return None
    text = {name: getattr(post, name) for name in TEXT}
    revision, _created = Revision.objects.get_or_create(
        post=post, version=post.version, defaults={**text, "tags": tags, "editor": editor}
    )
    return revision
