from collections.abc import Callable
from functools import partial
from itertools import starmap
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.validators import URLValidator
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from account.faces import COLUMNS, Face
from account.names import NAME_RULES, validate_username
from actions.models import Action
from actions.stream import Thing
from archive import personal_data
from content.pictures import PictureField
from content.plaintext import LineField
from core.caching.memory import cached
from core.people import Viewer
from core.web.links import path_to
from mail.addresses import mark_proven, plain, validate_reachable
from search import index

from .access import Session
from .relations import Follow, MuteOrBlock


class UserQuerySet(models.QuerySet["User"]):
    def people(self) -> Self:
        """Members that others may see."""
        return self.filter(is_active=True)

    def shown_to(self, viewer: Viewer) -> Self:
        """People whom lists and streams show this person: nobody muted, nor anybody with a block between them."""
        return self.people().exclude(pk__in=viewer.hidden_ids()) if viewer.is_authenticated else self.people()

    def things(self) -> list[Thing]:
        """Ask for what the stream shows of these."""
        faces = [Face(*row) for row in self.values_list(*COLUMNS)]
        return [Thing(face.pk, face.display_name, face.get_absolute_url()) for face in faces]

    def visible_to(self, viewer: Viewer) -> Self:
        """People whose page this person may open: not those who have blocked them."""
        people = self.people()
        if viewer.is_authenticated:
            blocks = MuteOrBlock.objects.filter(other=viewer.pk, kind=MuteOrBlock.Kind.BLOCK)
            people = people.exclude(pk__in=blocks.values("owner"))
        return people

    def with_follower_counts(self) -> Self:
        # The few who are members no more are left out: a join reads all members first, on SQLite.
        gone = User.objects.filter(is_active=False).values("pk")
        followers = Follow.objects.filter(followed=models.OuterRef("pk")).exclude(follower__in=gone).order_by()
        count = followers.values("followed").annotate(number=models.Count("pk")).values("number")
        return self.annotate(
            followers_count=models.functions.Coalesce(models.Subquery(count), 0, output_field=models.IntegerField())
        )

    def faces(self) -> list[Face]:
        """Ask for what a list of people shows of these, in one query."""
        rows = self.with_follower_counts().values_list(*COLUMNS, "followers_count")
        return list(starmap(Face, rows))

    def profiles(self) -> Self:
        """Load what a person's page shows of them."""
        return self.with_follower_counts().only(*COLUMNS, "date_joined", "bio", "link")

    def named(self, identifier: str) -> Self:
        """Return at most one: the account of this username or e-mail address, in any letter case."""
        if "@" in identifier:
            return self.filter(email=plain(identifier))
        return self.called(identifier)

    def called(self, username: str) -> Self:
        """Return at most one: whose username this is, in any letter case."""
        if not username.isascii():  # no username is; and a database may take the Kelvin sign for a K
            return self.none()
        # Both sides are lowered by the database, which uses the unique index on LOWER(username).
        return self.alias(lower_name=Lower("username")).filter(lower_name=Lower(models.Value(username.strip())))


class MemberManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return plain(email or "")


class User(AbstractUser):
    """A person who can log in: member or staff. The row outlives them: account/leaving.py makes it nameless."""

    username = models.CharField(
        _("username"),
        max_length=40,
        unique=True,
        validators=[validate_username],
        error_messages={"unique": _("A user with that username already exists.")},
    )
    first_name = LineField(_("first name"), max_length=150, blank=True, validators=NAME_RULES)
    last_name = LineField(_("last name"), max_length=150, blank=True, validators=NAME_RULES)
    email = models.EmailField(_("e-mail address"), validators=[validate_reachable])
    email_proven_at = models.DateTimeField(_("e-mail proven at"), null=True, blank=True, editable=False)
    was_proven = models.BooleanField(
        _("an earlier address was proven"), default=False, editable=False, help_text=_("Before staff changed it.")
    )
    photo = PictureField(
        _("photo"), upload_to="people", blank=True, width_field="photo_width", height_field="photo_height"
    )
    photo_width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    photo_height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    has_second_factor = models.BooleanField(_("has a second factor"), default=False, editable=False)
    google_unlinked_at = models.DateTimeField(_("Google taken off at"), null=True, blank=True, editable=False)
    date_of_birth = models.DateField(_("date of birth"), null=True, blank=True)
    bio = models.TextField(_("about you"), max_length=500, blank=True)
    link = models.CharField(_("link"), max_length=200, blank=True, validators=[URLValidator(["http", "https"])])

    objects = MemberManager()  # type: ignore[misc]

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_ignoring_case"),
            models.UniqueConstraint(Lower("username"), name="user_username_unique_ignoring_case"),
        ]
        indexes = [
            # Whose images are not shown: few, and asked for by every list of images.
            models.Index(fields=["id"], condition=models.Q(is_active=False), name="user_switched_off"),
            models.Index(fields=["-id"], condition=models.Q(is_active=True), name="user_newest"),
        ]

    def __str__(self) -> str:
        return self.display_name

    def save(self, *args: object, **kwargs: object) -> None:
        self.email = plain(self.email)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def get_absolute_url(self) -> str:
        return path_to("account:user_detail", self.username)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    def password_mark(self, purpose: str, secret: str | None = None) -> str:
        """Return what a link or cookie carries that shall die with the password."""
        return salted_hmac(purpose, f"{self.pk}:{self.password}", secret=secret, algorithm="sha256").hexdigest()

    def has_password_mark(self, purpose: str, mark: str) -> bool:
        secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return any(constant_time_compare(mark, self.password_mark(purpose, secret)) for secret in secrets)

    @property
    def is_proven(self) -> bool:
        return self.email_proven_at is not None

    @property
    def was_ever_proven(self) -> bool:
        """Tell whether the account is somebody's for sure, whatever has become of its address since."""
        return self.is_proven or self.was_proven

    def prove_email(self) -> None:
        """Record that the address is this person's: they opened a link that was mailed to it."""
        with transaction.atomic():
            if not self.email_proven_at:
                self.email_proven_at = timezone.now()
                self.save(update_fields=["email_proven_at"])
            mark_proven(self.email)

    def switch(self, *, on: bool) -> None:
        """Switch the account off, with all that others see of it but its posts and comments, or on again."""
        with transaction.atomic():
            self.is_active = on
            self.save(update_fields=["is_active"])
            if not on:
                # The login refuses the switched off by itself, but must not revive when the account comes back.
                Session.objects.filter(member=self).delete()
                personal_data.hide(self)
                self.refresh_from_db(fields=["photo"])
            index.write_all_of(self)

    def follow(self, person: "User") -> bool:
        """Follow the person; return whether that is new and allowed. Following oneself raises ValueError."""
        if person.pk == self.pk:
            raise ValueError("nobody follows themselves")
        try:
            with transaction.atomic():
                self._lock_both(person)
                if MuteOrBlock.is_block_between(self.pk, person.pk):
                    return False
                # The unique constraint decides between parallel clicks: one row and one action.
                Follow.objects.create(follower=self, followed=person)
                Action.objects.record(self, Action.Verb.FOLLOWS, person, is_alone=True)
        except IntegrityError:
            return False
        return True

    def unfollow(self, person: "User") -> None:
        Follow.objects.filter(follower=self, followed=person).delete()

    def is_following(self, person: "User") -> bool:
        return Follow.objects.filter(follower=self, followed=person).exists()

    def mute_or_block(self, person: "User", kind: str) -> None:
        """Mute or block the person; blocking ends that either follows the other."""
        if person.pk == self.pk:
            raise ValueError("nobody keeps away from themselves")
        with transaction.atomic():
            self._lock_both(person)
            MuteOrBlock.objects.update_or_create(owner=self, other=person, defaults={"kind": kind})
            if kind == MuteOrBlock.Kind.BLOCK:
                Follow.objects.filter(follower=self, followed=person).delete()
                Follow.objects.filter(follower=person, followed=self).delete()
        self.__dict__.pop("_mutes_and_blocks", None)

    def _lock_both(self, person: "User") -> None:
        """Let a follow and a block of the same two happen one after the other, or the follow outlives the block."""
        both = User.objects.select_for_update(no_key=True).filter(pk__in=[self.pk, person.pk])
        list(both.order_by("pk").values_list("pk"))

    def lift_mute_or_block(self, person: "User") -> None:
        MuteOrBlock.objects.filter(owner=self, other=person).delete()
        self.__dict__.pop("_mutes_and_blocks", None)

    def mute_or_block_of(self, person: "User") -> str:
        """Return "mute", "block" or nothing: what this person has set towards the other."""
        mine = {other: kind for owner, other, kind in self._mutes_and_blocks if owner == self.pk}
        return mine.get(person.pk, "")

    def followed_ids(self) -> set[int]:
        return set(cached(("follows", self.pk), partial(Follow.by, self.pk)))

    def hidden_ids(self) -> set[int]:
        """Return who is not shown to this person: those muted or blocked, and those who block."""
        return self._kept_apart(lambda kind, is_mine: is_mine or kind == MuteOrBlock.Kind.BLOCK)

    def out_of_reach_ids(self) -> set[int]:
        """Return with whom there is a block, whoever set it."""
        return self._kept_apart(lambda kind, is_mine: kind == MuteOrBlock.Kind.BLOCK)

    def _kept_apart(self, counts: Callable[[str, bool], bool]) -> set[int]:
        return {
            other if owner == self.pk else owner
            for owner, other, kind in self._mutes_and_blocks
            if counts(kind, owner == self.pk)
        }

    @cached_property
    def _mutes_and_blocks(self) -> list[tuple[int, int, str]]:
        # Asked for by every part of a page that shows people; read once for all of them.
        return cached(("mutes and blocks", self.pk), partial(MuteOrBlock.around, self.pk))
