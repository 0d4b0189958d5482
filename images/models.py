"""The pinboard: pictures that members keep, and who likes them."""

from collections.abc import Collection
from itertools import starmap
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from account.models import User
from actions import popularity
from actions.models import Action
from actions.stream import Thing
from content.pictures import Picture, PictureField, discard, hide, store_picture
from content.plaintext import LineField
from core.people import Member, Viewer
from core.web.links import path_to
from search import index

from . import tiles

FOLDER = "images"
PAGE_FIELDS = (
    *(
        "title",
        "slug",
        "description",
        "alt",
        "is_private",
        "source_url",
        "page_url",
        "file",
        "width",
        "height",
        "status",
    ),
    *("total_likes", "created_at", "owner__username", "owner__first_name", "owner__last_name", "owner__is_active"),
)


def _switched_off() -> models.QuerySet[User, dict[str, Any]]:
    # As a small set to leave out rather than a join, so that the board's pages come from one index.
    ids: models.QuerySet[User, dict[str, Any]] = User.objects.filter(is_active=False).values("pk")
    return ids


class ImageQuerySet(models.QuerySet["Image"]):
    def ready(self) -> Self:
        return self.filter(status=Image.Status.READY)

    def public(self) -> Self:
        """What everybody may see."""
        return self.ready().filter(is_private=False).exclude(owner__in=_switched_off())

    def shown_to(self, viewer: Viewer) -> Self:
        """What the board shows this person: nothing of those they have muted or blocked, or who block them."""
        return self.public().exclude(owner__in=viewer.hidden_ids()) if viewer.is_authenticated else self.public()

    def withheld_from(self, member: Member, ids: Collection[int]) -> set[int]:
        """Return which of these `shown_to` leaves out for the member because of whose they are."""
        hidden = member.hidden_ids()
        return set(self.filter(pk__in=ids, owner__in=hidden).values_list("pk", flat=True)) if hidden else set()

    def things(self) -> list[Thing]:
        """Ask for what the stream shows of these."""
        rows = self.values_list("pk", "slug", "title", "file", "width", "height")
        return [Thing(pk, title, path_to("images:image_detail", pk, slug), *file) for pk, slug, title, *file in rows]

    def tiles(self) -> list[tiles.Tile]:
        """Ask for what the board shows of these, in one query."""
        return list(starmap(tiles.Tile, self.values_list(*tiles.COLUMNS)))

    def pages(self) -> Self:
        """Load what the page of a picture shows of it."""
        return self.select_related("owner").only(*PAGE_FIELDS, "same_as_id")

    def of(self, owner_id: int) -> Self:
        return self.filter(owner_id=owner_id)

    def public_files_of(self, owner_id: int) -> Self:
        """Pictures whose address everybody may have seen."""
        return self.ready().filter(owner_id=owner_id, is_private=False).exclude(file="")

    def forgotten(self) -> Self:
        """Pictures still to fetch that nobody is fetching."""
        now = timezone.now()
        is_free = models.Q(lease_until=None) | models.Q(lease_until__lt=now)
        return self.filter(is_free, status=Image.Status.FETCHING)


def slug_of(title: str) -> str:
    """Return the title for an address; never nothing, since "???" or "日本語" have no letters and must open all the same."""
    return slugify(title)[:100].strip("-") or "image"


class Image(models.Model):
    """A picture that a member keeps; `total_likes` always equals the number of its Like rows."""

    class Status(models.TextChoices):
        """fetching -> ready | failed; failed -> fetching when the owner tries again. Uploads begin as ready."""

        FETCHING = "fetching", _("being fetched")
        READY = "ready", _("ready")
        FAILED = "failed", _("could not be fetched")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="images", verbose_name=_("owner")
    )
    title = LineField(_("title"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=100, editable=False, db_index=False)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    alt = LineField(
        _("alternative text"),
        max_length=300,
        blank=True,
        help_text=_("What the picture shows, for people who cannot see it."),
    )
    is_private = models.BooleanField(_("only for me"), default=False)
    source_url = models.CharField(_("address of the picture"), max_length=2000, blank=True)
    page_url = models.CharField(_("page it was found on"), max_length=2000, blank=True)
    file = PictureField(_("picture"), upload_to=FOLDER, width_field="width", height_field="height", blank=True)
    width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    digest = models.CharField(_("SHA-256 of the pixels"), max_length=64, blank=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.FETCHING)
    same_as = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="copies", verbose_name=_("same as")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True, editable=False)
    total_likes = models.PositiveIntegerField(_("likes"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    liked_by = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Like", related_name="liked_images", verbose_name=_("liked by")
    )

    objects = ImageQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["-id", "owner"],
                condition=models.Q(status="ready", is_private=False),
                name="image_public_newest",
            ),
            models.Index(fields=["owner", "-id"], name="image_owner_newest"),
            models.Index(fields=["owner", "digest"], name="image_owner_digest"),
            models.Index(fields=["-total_likes", "-id"], name="image_most_liked"),
            models.Index(fields=["lease_until"], condition=models.Q(status="fetching"), name="image_to_fetch"),
        ]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = slug_of(self.title)
        with transaction.atomic():
            was = Image.objects.select_for_update().filter(pk=self.pk).first() if self.pk else None
            if was and was.is_public and not self.is_public:
                self.hide()
            super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return path_to("images:image_detail", self.pk, self.slug)

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY

    @property
    def is_public(self) -> bool:
        return self.is_ready and not self.is_private

    @property
    def alternative_text(self) -> str:
        return self.alt or self.title

    @property
    def credit_url(self) -> str:
        return self.page_url or self.source_url

    @property
    def credit_host(self) -> str:
        return (urlsplit(self.credit_url).hostname or "").removeprefix("www.")

    def keep(self, picture: Picture) -> bool:
        """
        Take the picture as this image's own and show it; return False when it was deleted meanwhile.

        The file is written first and the row after it, so that a crash leaves an orphaned file, never a broken page.
        """
        stored = store_picture(picture, FOLDER)
        with transaction.atomic():
            fields = {
                "file": stored.name,
                "width": stored.width,
                "height": stored.height,
                "digest": stored.digest,
                "status": self.Status.READY,
                "lease_until": None,
                "same_as": None,
            }
            fetching = Image.objects.filter(pk=self.pk, status=self.Status.FETCHING)
            if not fetching.update(**fields):
                discard(stored.name)
                return False
            self.refresh_from_db()
            index.write(self)
            if not self.is_private:
                Action.objects.record(self.owner, Action.Verb.BOOKMARKED, self)
        return True

    def give_up(self, *, same_as: "Image | None" = None) -> None:
        """Mark the picture as not to be had; `same_as` when it is one that the owner keeps already."""
        Image.objects.filter(pk=self.pk, status=self.Status.FETCHING).update(
            status=self.Status.FAILED, lease_until=None, same_as=same_as
        )

    def twin(self, digest: str) -> "Image | None":
        """Return another image of the same owner with the same pixels."""
        return Image.objects.ready().of(self.owner_id).filter(digest=digest).exclude(pk=self.pk).first()

    def hide(self) -> None:
        """Take the files from the address at which everybody could read them."""
        with transaction.atomic():
            name = Image.objects.select_for_update().values_list("file", flat=True).get(pk=self.pk)
            self.file = hide(name)
            Image.objects.filter(pk=self.pk).update(file=self.file.name)

    def remove(self) -> None:
        """Delete the image, its files, and all that other apps keep about it."""
        with transaction.atomic():
            index.remove(self)
            popularity.forget(self)
            discard(self.file.name or "")
            self.delete()

    def like(self, user: User) -> bool:
        """Return whether the like is new. The row and the count change in one transaction, or neither does."""
        try:
            with transaction.atomic():
                # The unique constraint decides between parallel clicks; only the winner counts. (get_or_create would
                # raise when the row in its way is taken back by an unlike before it can look.)
                Like.objects.create(user=user, image=self)
                Image.objects.filter(pk=self.pk).update(total_likes=models.F("total_likes") + 1)
                Action.objects.record(user, Action.Verb.LIKES, self, is_alone=True)
        except IntegrityError:
            return False
        return True

    def unlike(self, user: User) -> bool:
        with transaction.atomic():
            deleted, _by_model = Like.objects.filter(user=user, image=self).delete()
            if deleted:
                Image.objects.filter(pk=self.pk).update(total_likes=models.F("total_likes") - 1)
        return bool(deleted)

    def is_visible_to(self, viewer: Viewer) -> bool:
        """Tell whether this person may open its page: a public one of somebody within reach, or one of their own."""
        if viewer.is_authenticated and viewer.pk == self.owner_id:
            return True
        is_shown = self.is_public and self.owner.is_active
        return is_shown and not (viewer.is_authenticated and self.owner_id in viewer.out_of_reach_ids())

    def is_liked_by(self, user: Viewer) -> bool:
        return user.is_authenticated and Like.objects.filter(user=user.pk, image=self).exists()


class Like(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="likes", verbose_name=_("user")
    )
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="likes", verbose_name=_("picture"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["user", "image"], name="like_once")]
        verbose_name = _("like")
        verbose_name_plural = _("likes")

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.image_id}"
