from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ArchiveConfig(AppConfig):
    name = "archive"

    def ready(self) -> None:
        autodiscover_modules("personal_data")  # archive/personal_data.py
