from django.db import models
from django.utils.translation import gettext_lazy as _


class DemoContent(models.Model):
    """The last id that the demo has written into a table: everything up to it is the demo's (demo/removing.py)."""

    model = models.CharField(_("model"), max_length=100, primary_key=True)
    last_id = models.BigIntegerField(_("last number"))

    class Meta:
        db_table = "config_democontent"  # where it stood before 0.2
        verbose_name = _("demo content")
        verbose_name_plural = _("demo content")

    def __str__(self) -> str:
        return self.model
