"""The stream: who did what to what, and when. And how often a thing was looked at."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Self

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.people import Member

REPEATED_WITHIN = timedelta(minutes=1)


class ActionQuerySet(models.QuerySet["Action"]):
    def by(self, user_ids: Iterable[int]) -> Self:
        """What these people did, newest first, for showing: an account that was switched off is silent."""
        # Given their numbers, PostgreSQL reads the newest acts and takes theirs; of a subquery it sorts all that they did.
        return self.filter(actor__in=list(user_ids), actor__is_active=True)

    def newest(self, number: int) -> "ActionQuerySet":
        """The newest so many of these, for showing, whoever did them."""
        # Found before anybody is joined to them: else SQLite reads and sorts all there are.
        gone = get_user_model()._default_manager.filter(is_active=False).values("pk")
        newest: ActionQuerySet = Action.objects.filter(pk__in=self.exclude(actor__in=gone).values("pk")[:number])
        return newest


class ActionManager(models.Manager.from_queryset(ActionQuerySet)):  # type: ignore[misc]
    def record(
        self, actor: Member, verb: str, target: models.Model | None = None, *, is_alone: bool = False
    ) -> "Action | None":
        """
        Write the action down, unless the same was done less than a minute ago; return it if it is new.

        `is_alone`: the transaction around this has written a row that nobody else can write meanwhile, such as the one
        like of this picture by this person, so that nobody is recording the same.
        """
        action = Action(actor_id=actor.pk, verb=verb)
        action.target = target
        with transaction.atomic(savepoint=False):  # nothing here is caught, so there is nothing to go back to
            if not is_alone:
                _lock(actor.pk)
            same = {"actor": actor.pk, "verb": verb, "target_kind": action.target_kind, "target_id": action.target_id}
            if self.filter(**same, created_at__gt=action.created_at - REPEATED_WITHIN).exists():
                return None
            action.save(force_insert=True)
        return action


def _lock(actor: int) -> None:
    """Let one person's actions be written one after another; SQLite has one writer at a time anyway."""
    # no_key: rows that merely point at the person need not wait.
    list(get_user_model().objects.select_for_update(no_key=True).filter(pk=actor).values_list("pk"))


class Action(models.Model):
    class Verb(models.TextChoices):
        REGISTERED = "registered", _("joined")
        FOLLOWS = "follows", _("followed")
        BOOKMARKED = "bookmarked", _("saved")
        LIKES = "likes", _("liked")
        COMMENTED = "commented", _("commented on")
        PUBLISHED = "published", _("published")

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="actions", verbose_name=_("actor")
    )
    verb = models.CharField(_("verb"), max_length=20, choices=Verb)
    # "blog.post" rather than a content type: no look-up in a table, neither in a cold process nor in a warm one.
    target_kind = models.CharField(_("kind of target"), max_length=60, blank=True)
    target_id = models.PositiveBigIntegerField(_("id of target"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = ActionManager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["actor", "-created_at", "-id"], name="action_newest_of_actor"),
            models.Index(fields=["-created_at", "-id"], name="action_newest"),
            models.Index(fields=["target_kind", "target_id"], name="action_target"),
        ]
        verbose_name = _("action")
        verbose_name_plural = _("actions")

    def __str__(self) -> str:
        return f"{self.actor_id} {self.verb} {self.target_kind} {self.target_id or ''}".strip()

    @property
    def target(self) -> models.Model | None:
        """The thing acted on; None when it is gone. stream.py loads many at once: never ask one by one."""
        if not hasattr(self, "_target"):
            self._target = _visible_to_all(self.target_kind, self.target_id)
        return self._target

    @target.setter
    def target(self, target: models.Model | None) -> None:
        self._target = target
        if target is not None:
            self.target_kind, self.target_id = target._meta.label_lower, target.pk


def _visible_to_all(kind: str, target_id: int | None) -> models.Model | None:
    return apps.get_model(kind)._base_manager.filter(pk=target_id).first() if kind else None


class ViewCount(models.Model):
    """How often a thing was looked at, each visitor counted once a day."""

    target_kind = models.CharField(_("kind"), max_length=60)
    target_id = models.PositiveBigIntegerField(_("id"))
    views = models.PositiveBigIntegerField(_("views"), default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target_kind", "target_id"], name="view_count_unique")]
        indexes = [models.Index(fields=["target_kind", "-views", "target_id"], name="view_count_ranking")]
        verbose_name = _("view count")
        verbose_name_plural = _("view counts")

    def __str__(self) -> str:
        return f"{self.target_kind} {self.target_id}: {self.views}"


class View(models.Model):
    """One visitor's look at one thing on one day, where there is no Redis; kept until the day after."""

    target_kind = models.CharField(_("kind"), max_length=60)
    target_id = models.PositiveBigIntegerField(_("id"))
    visitor = models.CharField(_("visitor"), max_length=32, help_text=_("A hash that cannot be turned back."))
    seen_on = models.DateField(_("day"))
    is_counted = models.BooleanField(_("counted"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["target_kind", "target_id", "seen_on", "visitor"], name="view_once_a_day")
        ]
        indexes = [models.Index(fields=["id"], condition=models.Q(is_counted=False), name="view_uncounted")]
        verbose_name = _("view")
        verbose_name_plural = _("views")

    def __str__(self) -> str:
        return f"{self.target_kind} {self.target_id} on {self.seen_on}"


class ViewBatch(models.Model):
    """A batch of counts taken from Redis: its number being here is what keeps it from being added twice."""

    number = models.CharField(_("number"), max_length=32, unique=True)
    added_at = models.DateTimeField(_("added at"), auto_now_add=True)

    class Meta:
        verbose_name = _("batch of views")
        verbose_name_plural = _("batches of views")

    def __str__(self) -> str:
        return self.number
