"""Outgoing mail as rows: what is due is in the database, so no crash and no dead broker can lose it."""

import json
from typing import Self

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.stores.sealed import SealedField

MAX_ATTEMPTS = 5
WIPED: dict[str, str | None] = {"text": "", "html": "", "sealed": None}


class Unreadable(Exception):
    """Raised for a secret mail that nobody can read any more: it is wiped, or its key is gone."""


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self) -> Self:
        """Mails to send now: waiting long enough, or left behind by a process that died while sending."""
        return self.filter(self._is_waiting() | self._is_abandoned(), attempts__lt=MAX_ATTEMPTS)

    def given_up(self) -> Self:
        """Mails whose last attempt ended with the process: each attempt may be what kills it, so there is no sixth."""
        return self.filter(self._is_abandoned(), attempts__gte=MAX_ATTEMPTS)

    def wipe(self) -> None:
        """Take the link, which is a key to somebody's account, out of the secret ones."""
        self.filter(is_secret=True).update(**WIPED)

    def _is_waiting(self) -> models.Q:
        return models.Q(status=OutgoingMail.Status.QUEUED, available_at__lte=timezone.now())

    def _is_abandoned(self) -> models.Q:
        return models.Q(status=OutgoingMail.Status.SENDING, lease_until__lt=timezone.now())


class OutgoingMail(models.Model):
    """One message to one person. `dedup_key` is what makes writing it twice impossible."""

    class Status(models.TextChoices):
        """queued -> sending -> sent; sending -> queued after a passing failure, failed after a lasting one."""

        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    kind = models.CharField(_("kind"), max_length=40)
    dedup_key = models.CharField(_("dedup key"), max_length=200, unique=True)
    to = models.EmailField(_("to"))
    reply_to = models.EmailField(_("reply to"), blank=True)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    sealed = SealedField(_("text and HTML of a secret mail"), null=True, editable=False)
    attachment = models.CharField(_("attachment"), max_length=100, blank=True)
    is_secret = models.BooleanField(
        _("secret"),
        default=False,
        help_text=_("Holds a link that logs in; not shown here, sealed while it waits, and wiped once sent or failed."),
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    available_at = models.DateTimeField(_("due at"), default=timezone.now)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["available_at"], condition=models.Q(status__in=["queued", "sending"]), name="mail_unfinished"
            ),
            models.Index(Lower("to"), name="mail_to_lower"),
        ]
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"

    def seal(self) -> None:
        """Keep text and HTML as ciphertext: who finds the row or a backup of it must not find the link."""
        self.sealed, self.text, self.html = json.dumps([self.text, self.html]), "", ""

    def opened(self) -> tuple[str, str]:
        """Return text and HTML as they are sent; raise Unreadable."""
        if self.is_secret and not self.text and self.sealed is None:
            raise Unreadable("Its text is wiped, or sealed under another SECRET_KEY.")
        text, html = json.loads(self.sealed) if self.sealed else (self.text, self.html)
        return text, html


class ProvenAddress(models.Model):
    """An e-mail address whose owner has shown that it is theirs, by a mailed link or by a paid order."""

    email = models.EmailField(_("e-mail address"))
    proven_at = models.DateTimeField(_("proven at"), auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="proven_address_unique_ignoring_case")]
        verbose_name = _("proven address")
        verbose_name_plural = _("proven addresses")

    def __str__(self) -> str:
        return self.email
