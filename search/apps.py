from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from archive.hooks import rebuild_for_another_engine


class SearchConfig(AppConfig):
    name = "search"
    verbose_name = _("Search")

    def ready(self) -> None:
        from .reindexing import reindex  # needs the models

        rebuild_for_another_engine(reindex)
