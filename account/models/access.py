"""How people come in and stay in: sessions, second factors, recovery codes."""

from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from content.plaintext import LineField
from core.stores.sealed import SealedField

BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS", "Linux": "Linux",
}  # fmt: skip


class Session(AbstractBaseSession):
    """Django's session with its owner beside it, and its key hashed; see account/sessions.py."""

    session_key = models.CharField(_("hash of the key"), max_length=64, primary_key=True)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="sessions", verbose_name=_("member")
    )
    device = models.CharField(_("browser"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("began at"), default=timezone.now)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("session")  # type: ignore[assignment]
        verbose_name_plural = _("sessions")  # type: ignore[assignment]

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_string(f"{settings.SESSION_ENGINE}.SessionStore")

    @property
    def public_id(self) -> str:
        """What a form names the session by."""
        return self.session_key[:20]

    @property
    def browser_name(self) -> str:
        """Return "Firefox · Linux", as far as it can be told from the User-Agent."""
        known = [
            next((name for mark, name in names.items() if mark in self.device), "") for names in (BROWSERS, SYSTEMS)
        ]
        return " · ".join(filter(None, known))


class SecondFactor(models.Model):
    """A shared secret for one-time codes (RFC 6238); in force once `confirmed_at` is set."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factor", verbose_name=_("user")
    )
    secret = SealedField(_("secret"))
    last_step = models.BigIntegerField(_("last time step used"), default=0)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(models.Model):
    """A code that opens the account once when the phone is lost; only its hash is kept, and that sealed."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes", verbose_name=_("user")
    )
    digest = SealedField(_("hash"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")

    def __str__(self) -> str:
        return f"{self.user_id} #{self.pk}"


class Registration(models.Model):
    """
    Somebody who wants to become a member and has not opened the mailed link yet.

    It reserves nothing and nobody is shown it, so it may be written for an address that is a member's already.
    """

    username = models.CharField(_("username"), max_length=40)
    first_name = LineField(_("first name"), max_length=150)
    email = models.EmailField(_("e-mail address"))
    password = models.CharField(_("password"), max_length=128, help_text=_("Hashed."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")

    def __str__(self) -> str:
        return self.username


class Tries(models.Model):
    """How many guesses at one password or code are spent; account/tries.py counts them."""

    key = models.CharField(_("what is guessed"), max_length=100, primary_key=True)
    spent_until = models.PositiveBigIntegerField(_("all are back at"), help_text=_("In seconds since 1970."))

    class Meta:
        indexes = [models.Index(fields=["spent_until"], name="tries_spent_until")]
        verbose_name = _("tries")
        verbose_name_plural = _("tries")

    def __str__(self) -> str:
        return self.key
