"""Posts: what is written, when it is public, and the parts of its page that are made once, on save."""

import datetime
import uuid
from collections import Counter
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager

from actions import popularity
from actions.models import Action
from actions.stream import Thing
from blog import text
from content import markdown
from content.pictures import PictureField, discard
from content.plaintext import LineField
from core.people import Viewer
from core.web.links import path_to
from search import index

from .counts import ALL_POSTS, PostCount, by_author
from .pictures import FOLDER, hide_pictures
from .tags import PostTag, PostTags, count_posts

MAX_TAGS = 30
DAY = datetime.timedelta(days=1)
NEWS = DAY
CARD_FIELDS = (
    *("title", "slug", "publish_on", "publish_at", "summary", "tag_list", "reading_minutes", "comment_count"),
    *("cover", "cover_alt", "cover_width", "cover_height", "status"),
    *("author__username", "author__first_name", "author__last_name"),
)
PUBLIC_FIELDS = ("status", "publish_at")


def site_date(moment: datetime.datetime) -> datetime.date:
    """Return the date in the site's own time zone, whatever zone is active: the one rule for dates in addresses."""
    return moment.astimezone(timezone.get_default_timezone()).date()


def path_of(day: datetime.date, slug: str) -> str:
    return path_to("blog:post_detail", *day.timetuple()[:3], slug)


def is_published(of: str = "", *, now: datetime.datetime | None = None) -> Q:
    """Return the condition that makes a post public now; `of` leads to the post, as in "content_object__"."""
    return Q((f"{of}status", Post.Status.PUBLISHED), (f"{of}publish_at__lte", now or timezone.now()))


# The same for statements written by hand (core/sql.py); a test holds the two to each other.
IS_PUBLISHED = "status = 'published' AND publish_at <= %(now)s"


def was_public(before: dict[str, Any]) -> bool:
    """Tell whether people could read what `Post.lock` returned; a post whose hour has just come is not counted yet."""
    return bool(before) and before["status"] == Post.Status.PUBLISHED and before["publish_at"] <= timezone.now()


class PostQuerySet(models.QuerySet["Post"]):
    def published(self, now: datetime.datetime | None = None) -> Self:
        """Posts that everybody may read now; every public place asks this, at the moment it is read."""
        return self.filter(is_published(now=now))

    def next_publication(self) -> datetime.datetime | None:
        """Return when the next of the posts that wait for their hour appears."""
        waiting = self.filter(status=Post.Status.PUBLISHED, publish_at__gt=timezone.now())
        return waiting.order_by("publish_at").values_list("publish_at", flat=True).first()

    def shown_to(self, viewer: Viewer) -> Self:
        """Posts that may be mentioned to this person, in the stream for instance."""
        return self.published()

    def things(self) -> list[Thing]:
        """Ask for what the stream shows of these."""
        rows = self.values_list("pk", "title", "publish_on", "slug")
        return [Thing(pk, title, path_of(day, slug)) for pk, title, day, slug in rows]

    def tagged(self, slug: str) -> Self:
        return self.filter(post_tags__tag__slug=slug)

    def by(self, author_id: int) -> Self:
        return self.filter(author_id=author_id)

    def in_period(self, first: datetime.date, last: datetime.date) -> Self:
        # `publish_on` decides; the moments, a day wider for any time zone, let an index find and order the rows.
        start = datetime.datetime.combine(first, datetime.time(), datetime.UTC)
        span = last - first
        near = self.filter(publish_at__gte=start - DAY) if first > datetime.date(1, 1, 2) else self
        if last < datetime.date(9999, 12, 1):
            near = near.filter(publish_at__lt=start + span + 2 * DAY)
        return near.filter(publish_on__range=(first, last))

    def uncounted(self, now: datetime.datetime | None = None) -> Self:
        """Public posts that the kept numbers do not contain yet, because their hour came without anybody saving."""
        return self.published(now).filter(is_counted=False)

    def mentioning(self, path: str) -> Self:
        """Posts that link to the page at this path, whatever stands in it behind its number."""
        return self.filter(mentions__place=text.place(path))

    def newest_first(self) -> Self:
        return self.order_by("-publish_at", "-pk")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete each post by its verb, so that counts, index and files follow."""
        with transaction.atomic():
            deleted = Counter[str]()
            for post in self:
                deleted.update(post.delete()[1])
        return deleted.total(), dict(deleted)

    delete.queryset_only = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]

    def set_status(self, status: str) -> int:
        """Publish or withdraw each post; return how many were changed."""
        with transaction.atomic():
            posts = list(self.exclude(status=status))
            for post in posts:
                post.status = status
                post.save()
        return len(posts)

    def cards(self) -> Self:
        """Load what a list shows of a post, in one query."""
        return self.select_related("author").only(*CARD_FIELDS)


class Post(models.Model):  # type: ignore[django-manager-missing]
    """
    One post. Public when its status is published and `publish_at` has passed.

    `publish_on`, `body_html`, `summary`, `reading_minutes`, `tag_list` and the counts are made from the rest by save()
    and the verbs below, so that a page only reads. Change many posts with the verbs too, never with a bare update().
    """

    class Status(models.TextChoices):
        """draft <-> published, as often as the author likes."""

        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    title = LineField(_("title"), max_length=200)
    slug = models.SlugField(
        _("slug"), max_length=200, allow_unicode=True, blank=True, help_text=_("Left empty, it is made of the title.")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="posts", verbose_name=_("author")
    )
    body = models.TextField(_("body"), help_text=_("Markdown."))
    excerpt = models.TextField(
        _("excerpt"), max_length=500, blank=True, help_text=_("Left empty, the opening words are shown.")
    )
    cover = PictureField(
        _("cover"), upload_to=FOLDER, width_field="cover_width", height_field="cover_height", blank=True
    )
    cover_alt = LineField(_("cover in words"), max_length=200, blank=True, help_text=_("For those who do not see it."))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    publish_at = models.DateTimeField(_("publish at"), default=timezone.now)
    is_open = models.BooleanField(_("open for comments"), default=True)
    tags = TaggableManager(_("tags"), through=PostTag, manager=PostTags, blank=True)

    publish_on = models.DateField(editable=False)
    body_html = models.TextField(editable=False, blank=True)
    summary = models.TextField(editable=False, blank=True)
    reading_minutes = models.PositiveSmallIntegerField(editable=False, default=1)
    cover_width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    cover_height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    tag_list = models.JSONField(editable=False, default=list)
    comment_count = models.PositiveIntegerField(_("comments"), editable=False, default=0)
    is_counted = models.BooleanField(editable=False, default=False)
    announced_at = models.DateTimeField(editable=False, null=True)
    version = models.PositiveIntegerField(editable=False, default=1)
    preview_key = models.UUIDField(editable=False, default=uuid.uuid4)
    source_key = models.CharField(editable=False, max_length=255, null=True, unique=True)  # noqa: DJ001
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = PostQuerySet.as_manager()

    _rendered = ("", "")  # a body and its HTML

    class Meta:
        ordering = ["-publish_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["publish_on", "slug"], name="blog_post_address_unique")]
        indexes = [
            models.Index(fields=["status", "-publish_at", "-id"]),
            models.Index(fields=["author", "status", "-publish_at", "-id"]),
            models.Index(fields=["status", "-comment_count", "-publish_at"]),
            # Next to empty. SQLite does not use an index for "NOT is_counted" in any other form.
            models.Index(fields=["status", "publish_at"], condition=Q(is_counted=False), name="blog_post_uncounted"),
        ]
        verbose_name = _("post")
        verbose_name_plural = _("posts")

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the post and everything that is made from it, in one transaction; raise markdown.Refused."""
        if kwargs.get("update_fields") is not None:
            super().save(*args, **kwargs)
            return
        html = self.rendered()
        self.body_html = html
        self.summary = self.excerpt or text.summarise(html)
        self.reading_minutes = text.reading_minutes(html)
        with transaction.atomic():
            before = self.lock() if self.pk else {}
            self._give_address()
            self._keep(before)
            if was_public(before) and not self.is_public:
                hide_pictures(self)
            super().save(*args, **kwargs)
            self._follow(before)

    def get_absolute_url(self) -> str:
        return path_of(self.publish_on, self.slug)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            before = self.lock()
            hide_pictures(self)  # those of the text, which content/orphans.py deletes under their new names
            self._count(before, is_public=False)
            index.remove(self)
            popularity.forget(self)
            discard(self.cover.name or "")
            return super().delete(*args, **kwargs)

    @property
    def is_public(self) -> bool:
        return self.status == self.Status.PUBLISHED and self.publish_at <= timezone.now()

    def clean(self) -> None:
        """Refuse here, with a sentence, what save() or the database would refuse with an exception."""
        try:
            self.rendered()
        except markdown.TooLong:
            raise ValidationError({"body": _("The text is too long: take at most 100,000 characters.")}) from None
        except markdown.Refused:
            raise ValidationError({"body": _("This Markdown takes too long to turn into a page.")}) from None
        if self.publish_at is None:  # the form says so already
            return
        self._give_address()
        taken = Post.objects.filter(publish_on=self.publish_on, slug=self.slug).exclude(pk=self.pk)
        if taken.exists():
            raise ValidationError({"slug": _("Another post of that day has this slug.")})

    def rendered(self) -> str:
        """Render the body, once for clean() and save() together; raise markdown.Refused."""
        source, html = self._rendered
        if source != self.body:
            own_places = (settings.SITE_URL + "/", *([settings.MEDIA_URL] if "://" in settings.MEDIA_URL else []))
            html = markdown.render(self.body, own_places=own_places)
            self._rendered = (self.body, html)
        return html

    def revoke_preview_links(self) -> None:
        self.preview_key = uuid.uuid4()
        Post.objects.filter(pk=self.pk).update(preview_key=self.preview_key)

    def lock(self) -> dict[str, Any]:
        """Make other writers of this post wait, and return what they left."""
        fields = ("is_counted", "author_id", "publish_on", "slug", "version", "comment_count", "cover", *PUBLIC_FIELDS)
        return Post.objects.select_for_update().filter(pk=self.pk).values(*fields).first() or {}

    def tags_changed(self) -> None:
        """Store the tags on the post again and tell the index; called by whatever changes a tag."""
        tags = PostTag.objects.filter(content_object=self).order_by("pk")
        self.tag_list = list(tags.values("tag_id", "tag__name", "tag__slug").annotate(id=F("tag_id")))
        self.tag_list = [{"id": t["tag_id"], "name": t["tag__name"], "slug": t["tag__slug"]} for t in self.tag_list]
        Post.objects.filter(pk=self.pk).update(tag_list=self.tag_list)
        index.write(self)

    def repeated_on_tags(self) -> dict[str, Any]:
        """Return what each row of the post's tags view_buffer."""
        return {"publish_at": self.publish_at, "is_published": self.status == self.Status.PUBLISHED}

    def count_if_due(self) -> bool:
        """Take a scheduled post whose hour has come into the counts; True for the one caller that did it."""
        with transaction.atomic():
            before = self.lock()
            return bool(before) and self.is_public and self._count(before, is_public=True)

    def _give_address(self) -> None:
        self.publish_on = site_date(self.publish_at)
        if not self.slug:
            self.slug = self._free_slug()

    def _free_slug(self) -> str:
        stem = slugify(self.title, allow_unicode=True)[:190] or "post"
        same_day = Post.objects.filter(publish_on=self.publish_on, slug__startswith=stem).exclude(pk=self.pk)
        taken = set(same_day.values_list("slug", flat=True))
        return stem if stem not in taken else next(s for n in range(2, 10_000) if (s := f"{stem}-{n}") not in taken)

    def _keep(self, before: dict[str, Any]) -> None:
        """Take over what other verbs have written since this object was loaded, so that saving does not undo it."""
        if before:
            self.is_counted = before["is_counted"]
            self.comment_count = before["comment_count"]
            self.version = before["version"] + 1

    def _follow(self, before: dict[str, Any]) -> None:
        if before.get("cover") and before["cover"] != self.cover.name:
            discard(before["cover"])
        address = {"publish_on": self.publish_on, "slug": self.slug}
        OldAddress.objects.filter(**address).delete()
        if before.get("is_counted") and any(before[name] != value for name, value in address.items()):
            OldAddress.objects.create(post=self, publish_on=before["publish_on"], slug=before["slug"])
        Mention.of(self)
        if before:
            PostTag.objects.filter(content_object=self).exclude(**self.repeated_on_tags()).update(
                **self.repeated_on_tags()
            )
        self._count(before, is_public=self.is_public)
        index.write(self)

    def _count(self, before: dict[str, Any], *, is_public: bool) -> bool:
        """Bring the kept numbers in line with this locked post; True when it has become public by this."""
        was = before.get("is_counted", False)
        author_before = before.get("author_id", self.author_id)
        if was and author_before != self.author_id:
            PostCount.objects.add([by_author(author_before)], -1)
            PostCount.objects.add([by_author(self.author_id)], 1)
        if was == is_public:
            return False
        step = 1 if is_public else -1
        PostCount.objects.add([ALL_POSTS, by_author(self.author_id)], step)
        count_posts(PostTag.objects.filter(content_object=self).values_list("tag_id", flat=True), step)
        self.is_counted = is_public
        Post.objects.filter(pk=self.pk).update(is_counted=is_public)
        if is_public:
            self._announce()
        return is_public

    def _announce(self) -> None:
        """Tell the author's followers, once, and only of what is new: an import of ten years is no news."""
        if self.announced_at is None and timezone.now() - self.publish_at < NEWS:
            self.announced_at = timezone.now()
            Post.objects.filter(pk=self.pk).update(announced_at=self.announced_at)
            Action.objects.record(self.author, Action.Verb.PUBLISHED, self)


class OldAddress(models.Model):
    """Where a post stood before its date or slug was changed: links to it are sent on."""

    publish_on = models.DateField(_("date"))
    slug = models.SlugField(_("slug"), max_length=200, allow_unicode=True)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="old_addresses", verbose_name=_("post"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publish_on", "slug"], name="blog_old_address_unique")]
        verbose_name = _("old address")
        verbose_name_plural = _("old addresses")

    def __str__(self) -> str:
        return f"{self.publish_on}/{self.slug}"


class Mention(models.Model):
    """A place on this site that a post links to, such as "/shop/12/": how a product finds the posts about it."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="mentions")
    place = models.CharField(_("place"), max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "post"], name="blog_mention_once_a_place")]
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")

    def __str__(self) -> str:
        return self.place

    @classmethod
    def of(cls, post: Post) -> None:
        """Store what the post's text mentions now."""
        places = set(text.places(post.body_html))
        cls.objects.filter(post=post).exclude(place__in=places).delete()
        cls.objects.bulk_create([cls(post=post, place=place) for place in sorted(places)], ignore_conflicts=True)  # type: ignore[misc]
