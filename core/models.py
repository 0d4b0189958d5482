from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class SweepRunQuerySet(models.QuerySet["SweepRun"]):
    def due(self, now: datetime, interval: timedelta) -> Self:
        """Sweeps whose moment has come, or lies further away than it can: the clock was wrong when it was written."""
        return self.filter(models.Q(due_at__lte=now) | models.Q(due_at__gt=now + 2 * interval))


class SweepRun(models.Model):
    """When a sweep of settings.SWEEPS is due, for whoever runs it, and how it last ended, for a person or a monitor."""

    name = models.CharField(_("name"), max_length=100, primary_key=True)
    due_at = models.DateTimeField(_("due at"), db_default=Now())
    ended_at = models.DateTimeField(_("ended at"), null=True)
    has_failed = models.BooleanField(_("failed"), default=False)

    objects = SweepRunQuerySet.as_manager()

    class Meta:
        db_table = "config_sweeprun"  # where it stood before 0.2
        ordering = ["name"]
        verbose_name = _("sweep")
        verbose_name_plural = _("sweeps")

    def __str__(self) -> str:
        return self.name
