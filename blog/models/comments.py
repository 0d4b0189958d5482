"""Comments: plain text, public once approved; the number of public ones is kept on the post."""

from collections import Counter
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from actions.models import Action
from content.plaintext import LineField

from .posts import NEWS, Post

MAX_LENGTH = 5000


class CommentQuerySet(models.QuerySet["Comment"]):
    def approved(self) -> Self:
        return self.filter(state=Comment.State.APPROVED)

    def waiting(self) -> Self:
        return self.filter(state=Comment.State.WAITING)

    def oldest_first(self) -> Self:
        return self.order_by("created_at", "pk")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete each comment by its verb, so that the posts' numbers follow."""
        with transaction.atomic():
            deleted = Counter[str]()
            for comment in self:
                deleted.update(comment.delete()[1])
        return deleted.total(), dict(deleted)

    delete.queryset_only = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]

    def by_address(self, email: str) -> Self:
        return self.filter(email__iexact=email)


class Comment(models.Model):
    class State(models.TextChoices):
        """waiting -> approved | hidden; approved <-> hidden."""

        WAITING = "waiting", _("waiting")
        APPROVED = "approved", _("approved")
        HIDDEN = "hidden", _("hidden")

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments", verbose_name=_("post"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="comments",
        verbose_name=_("member"),
    )
    name = LineField(_("name"), max_length=80)
    email = models.EmailField(_("e-mail address"))
    body = models.TextField(_("comment"), max_length=MAX_LENGTH)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(_("written at"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    source_key = models.CharField(editable=False, max_length=255, null=True, unique=True)  # noqa: DJ001

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["post", "state", "created_at", "id"]),
            models.Index(fields=["state", "-created_at"]),
            models.Index(Lower("email"), name="blog_comment_by_address"),
        ]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")

    def __str__(self) -> str:
        return f"{self.name}: {self.body[:60]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the comment; a new one that is approved already counts at once. Decide old ones with move()."""
        is_new = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if is_new and self.state == self.State.APPROVED:
                self._count(1)
                self._announce()

    def get_absolute_url(self) -> str:
        return f"{self.post.get_absolute_url()}#comment-{self.pk}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            self.move(self.State.HIDDEN)
            return super().delete(*args, **kwargs)

    def move(self, state: str) -> bool:
        """Approve or hide, and keep the post's number right; True when this call changed anything."""
        with transaction.atomic():
            before = Comment.objects.select_for_update().filter(pk=self.pk).values_list("state", flat=True).first()
            if before is None or before == state:
                return False
            self.state, self.decided_at = state, timezone.now()
            Comment.objects.filter(pk=self.pk).update(state=state, decided_at=self.decided_at)
            self._count((state == self.State.APPROVED) - (before == self.State.APPROVED))
            if (before, state) == (self.State.WAITING, self.State.APPROVED):
                self._announce()
        return True

    def _announce(self) -> None:
        """Tell the followers of a member who has said something."""
        if self.author and timezone.now() - self.created_at < NEWS:
            Action.objects.record(self.author, Action.Verb.COMMENTED, self.post)

    def _count(self, step: int) -> None:
        if step:
            Post.objects.filter(pk=self.post_id).update(comment_count=F("comment_count") + step)


class BannedAddress(models.Model):
    """An e-mail address whose comments are taken without a word and never shown."""

    email = models.EmailField(_("e-mail address"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("banned at"), auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="blog_banned_address_unique")]
        verbose_name = _("banned address")
        verbose_name_plural = _("banned addresses")

    def __str__(self) -> str:
        return self.email

    @classmethod
    def ban(cls, email: str, reason: str = "") -> int:
        """Ban the address, hide all its comments, and return how many were hidden."""
        with transaction.atomic():
            cls.objects.bulk_create([cls(email=email.lower(), reason=reason)], ignore_conflicts=True)  # type: ignore[list-item]
            return sum(comment.move(Comment.State.HIDDEN) for comment in Comment.objects.by_address(email))

    @classmethod
    def covers(cls, email: str) -> bool:
        return cls.objects.filter(email__iexact=email).exists()
