"""What people are to each other: who follows whom, and who wants nothing of whom."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class Follow(models.Model):
    """One person reads what another does."""

    follower = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows", verbose_name=_("follower")
    )
    followed = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="followed_by", verbose_name=_("followed")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(condition=~models.Q(follower=models.F("followed")), name="follow_not_oneself"),
        ]
        verbose_name = _("follow")
        verbose_name_plural = _("follows")

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.followed_id}"

    @classmethod
    def by(cls, person: int) -> list[int]:
        """Return whom somebody follows."""
        return list(cls.objects.filter(follower=person).order_by().values_list("followed_id", flat=True))

    def clean(self) -> None:
        """Refuse in a form what User.follow() refuses: to follow past a block."""
        if MuteOrBlock.is_block_between(self.follower_id, self.followed_id):
            raise ValidationError(_("One of the two has blocked the other."), code="block")


class MuteOrBlock(models.Model):
    """
    One person wants less of another. It changes only what these two see, and only while they are logged in.

    Mute: the owner is no longer shown the other, who notices nothing. Acts, pictures and comments of the other leave
    the owner's stream, board, front page, ranking, search, list of people and the faces under a picture; a comment is
    folded. Their pages still open for the owner who goes there by name, to look or to lift the mute.

    Block: a mute both ways, and a wall. Either's profile and pictures are not found (404) by the other, except that the
    owner may open the profile to lift the block; neither follows the other or likes a picture of the other's; neither
    comments under a post the other wrote, and what either wrote elsewhere is left out for the other. Follows end with
    the block. Likes and comments given before stay, since their numbers are the same for everybody.

    Posts and products are the house's, so everybody goes on seeing them.
    """

    class Kind(models.TextChoices):
        MUTE = "mute", _("muted")
        BLOCK = "block", _("blocked")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mutes_and_blocks", verbose_name=_("owner")
    )
    other = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="muted_or_blocked_by", verbose_name=_("other")
    )
    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        db_table = "account_boundary"  # its name before 0.2
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "other"], name="boundary_once"),
            models.CheckConstraint(condition=~models.Q(owner=models.F("other")), name="boundary_not_oneself"),
        ]
        verbose_name = _("mute or block")
        verbose_name_plural = _("mutes and blocks")

    def __str__(self) -> str:
        return f"{self.owner_id} {self.kind}s {self.other_id}"

    @classmethod
    def around(cls, person: int) -> list[tuple[int, int, str]]:
        """Return what somebody and others have set towards each other: owner, other, kind."""
        either = cls.objects.filter(models.Q(owner=person) | models.Q(other=person)).order_by()
        return list(either.values_list("owner", "other", "kind"))

    @classmethod
    def is_block_between(cls, one: int, other: int) -> bool:
        either = models.Q(owner=one, other=other) | models.Q(owner=other, other=one)
        return cls.objects.filter(either, kind=cls.Kind.BLOCK).exists()
