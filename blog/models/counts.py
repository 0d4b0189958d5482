"""Kept numbers of public posts: a list page must not count a million rows to know how many pages it has."""

from collections.abc import Collection

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

ALL_POSTS = "posts"
AUTHOR_PREFIX = "author:"


def by_author(author_id: int) -> str:
    return f"{AUTHOR_PREFIX}{author_id}"


class PostCountQuerySet(models.QuerySet["PostCount"]):
    def add(self, names: Collection[str], step: int) -> None:
        """Change counters by `step`; rows are locked in one order, so that two writers never wait for each other."""
        self.bulk_create([PostCount(name=name) for name in sorted(names)], ignore_conflicts=True)
        locked = list(self.select_for_update().filter(name__in=names).order_by("pk").values_list("pk", flat=True))
        self.filter(pk__in=locked).update(posts=F("posts") + step)


class PostCount(models.Model):
    """How many posts with `is_counted` there are in all, or by one author. Tags keep their own number."""

    name = models.CharField(_("name"), max_length=40, unique=True)
    posts = models.IntegerField(_("posts"), default=0)

    objects = PostCountQuerySet.as_manager()

    class Meta:
        db_table = "blog_tally"  # its name before 0.2
        verbose_name = _("number of posts")
        verbose_name_plural = _("numbers of posts")

    def __str__(self) -> str:
        return f"{self.name}: {self.posts}"
