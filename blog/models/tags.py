"""
Tags. The rest of the project reaches them through `Post.objects.tagged(slug)` and `post.tag_list` only.

What a tag is, how tags are typed and how a post's are changed is django-taggit's; the tables are ours. So it is none of
the INSTALLED_APPS, as its documentation says for this case: it would make two tables that stay empty.
"""

import hashlib
from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from typing import Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from taggit.managers import _TaggableManager
from taggit.models import ItemBase, TagBase

from content.plaintext import LineField, without_unseen
from core.web.links import path_to


class Tag(TagBase):
    """`post_count` is the number of public posts, kept by Post and by PostTags."""

    name = LineField(_("name"), unique=True, max_length=100)
    post_count = models.IntegerField(_("posts"), default=0, editable=False)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["-post_count", "name"])]
        verbose_name = _("tag")
        verbose_name_plural = _("tags")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the tag; after a change of name or slug its posts, their documents and old links follow."""
        with transaction.atomic():
            fields = Tag.objects.select_for_update().filter(pk=self.pk).values("name", "slug")
            before = (fields.first() if self.pk else None) or {}
            super().save(*args, **kwargs)
            TagAlias.objects.filter(slug=self.slug).delete()
            if before and before["slug"] != self.slug:
                TagAlias.objects.create(slug=before["slug"], tag=self)
            if before and (before["slug"], before["name"]) != (self.slug, self.name):
                tell_posts(self.post_ids())

    def get_absolute_url(self) -> str:
        return path_to("blog:post_list_by_tag", self.slug)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            ids = self.post_ids()
            deleted: tuple[int, dict[str, int]] = super().delete(*args, **kwargs)
            tell_posts(ids)
        return deleted

    def merge_into(self, other: "Tag") -> None:
        """Give this tag's posts to the other, and its address and aliases too; then it is gone."""
        with transaction.atomic():
            list(Tag.objects.select_for_update().filter(pk__in=[self.pk, other.pk]).order_by("pk"))
            ids = self.post_ids()
            theirs = PostTag.objects.filter(tag=other).values("content_object")
            PostTag.objects.filter(tag=self).exclude(content_object__in=theirs).update(tag=other)
            TagAlias.objects.filter(tag=self).update(tag=other)
            slug = self.slug
            super().delete()
            TagAlias.objects.create(slug=slug, tag=other)
            counted = PostTag.objects.filter(tag=other, content_object__is_counted=True)
            Tag.objects.filter(pk=other.pk).update(post_count=counted.count())
            tell_posts(ids)

    def post_ids(self) -> list[int]:
        return list(PostTag.objects.filter(tag=self).values_list("content_object", flat=True))

    def slugify(self, tag: str, i: int | None = None) -> str:
        """Keep letters of any script; a name without letters ("???") still gets an address, the same every time."""
        slug = slugify(tag, allow_unicode=True)[:80] or f"tag-{hashlib.sha256(tag.encode()).hexdigest()[:8]}"
        return slug if i is None else f"{slug}-{i}"


class TagAlias(models.Model):
    """A slug that a tag once had, or that of a tag merged into it: links to it are sent on."""

    slug = models.SlugField(_("slug"), max_length=100, unique=True, allow_unicode=True)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="aliases", verbose_name=_("tag"))

    class Meta:
        verbose_name = _("old tag address")
        verbose_name_plural = _("old tag addresses")

    def __str__(self) -> str:
        return self.slug


class PostTagQuerySet(models.QuerySet["PostTag"]):
    def newest(self, tag_id: int, now: datetime | None = None) -> Self:
        """The public posts with the tag, newest first, read from the tag's index without a look at the posts."""
        published = self.filter(tag_id=tag_id, is_published=True, publish_at__lte=now or timezone.now())
        return published.order_by("-publish_at", "-content_object_id")

    def out_of_step(self) -> Self:
        """Those that say of their post what is no longer so."""
        post = "content_object__"
        is_published = Q(**{f"{post}status": "published"})
        wrong_status = Q(is_published=True) & ~is_published | Q(is_published=False) & is_published
        return self.filter(wrong_status | ~Q(publish_at=F(f"{post}publish_at")))


class PostTag(ItemBase):
    """
    A tag on a post.

    `publish_at` and `is_published` repeat what the post says, so that the newest posts of a tag come straight from an
    index; Post.save() writes them again when they change.
    """

    content_object = models.ForeignKey("blog.Post", on_delete=models.CASCADE, related_name="post_tags")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="post_tags")
    publish_at = models.DateTimeField()
    is_published = models.BooleanField(db_default=False)

    objects = PostTagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["content_object", "tag"], name="blog_tag_once_on_a_post")]
        indexes = [
            models.Index(
                fields=["tag", "-publish_at", "-content_object"], condition=Q(is_published=True), name="blog_tag_newest"
            )
        ]
        verbose_name = _("tag on a post")
        verbose_name_plural = _("tags on posts")


class PostTags(_TaggableManager):
    """What `post.tags` is: whoever changes tags, the list stored on the post, the counts and the index follow."""

    instance: Any

    def set(self, tags: Iterable[Any], **kwargs: Any) -> None:
        self._change(super().set, tags, through_defaults=self.instance.repeated_on_tags(), **kwargs)

    def add(self, *tags: Any, **kwargs: Any) -> None:
        kwargs["through_defaults"] = self.instance.repeated_on_tags()
        self._change(super().add, *tags, **kwargs)

    def remove(self, *tags: Any) -> None:
        self._change(super().remove, *tags)

    def clear(self) -> None:
        self._change(super().clear)

    def _to_tag_model_instances(self, tags: Iterable[Any], tag_kwargs: dict[str, Any]) -> list[Tag]:
        """Make new tags in the order of their names: two posts with the same new ones must not wait for each other."""
        tags = [without_unseen(tag) if isinstance(tag, str) else tag for tag in tags]
        found = super()._to_tag_model_instances(sorted(tags, key=_folded), tag_kwargs)
        places = {_folded(tag): place for place, tag in reversed(list(enumerate(tags)))}
        return sorted(found, key=lambda tag: places.get(_folded(tag), len(tags)))

    def _change(self, act: Any, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "_is_changing", False):  # set() itself calls add() and remove()
            act(*args, **kwargs)
            return
        self._is_changing = True
        try:
            with transaction.atomic():
                is_counted = self.instance.lock()["is_counted"]
                before = self._ids()
                act(*args, **kwargs)
                after = self._ids()
                if is_counted:
                    count_posts(after - before, 1)
                    count_posts(before - after, -1)
                self.instance.tags_changed()
        finally:
            self._is_changing = False

    def _ids(self) -> Set[int]:
        return set(PostTag.objects.filter(content_object=self.instance).values_list("tag_id", flat=True))


def _folded(tag: Any) -> str:
    return str(tag).casefold()


def count_posts(tag_ids: Iterable[int], step: int) -> None:
    """Change the tags' numbers by `step`, locking in one order."""
    ids = set(tag_ids)
    if not ids:
        return
    tags = Tag.objects.filter(pk__in=ids)
    locked = list(tags.select_for_update().order_by("pk").values_list("pk", flat=True))
    Tag.objects.filter(pk__in=locked).update(post_count=F("post_count") + step)


def tell_posts(ids: Sequence[int]) -> None:
    """Let posts store their tags again and tell the index."""
    posts = PostTag._meta.get_field("content_object").related_model._default_manager
    for start in range(0, len(ids), 200):
        for post in posts.filter(pk__in=ids[start : start + 200]):
            post.tags_changed()
