from django.db import models
from django.utils.translation import gettext_lazy as _


class SweepRun(models.Model):
    """When a sweep of settings.SWEEPS last ended: what tells a person, or a monitor, that nobody runs them any more."""

    name = models.CharField(_("name"), max_length=100, primary_key=True)
    ended_at = models.DateTimeField(_("ended at"))
    has_failed = models.BooleanField(_("failed"))

    class Meta:
        ordering = ["name"]
        verbose_name = _("sweep")
        verbose_name_plural = _("sweeps")

    def __str__(self) -> str:
        return self.name
