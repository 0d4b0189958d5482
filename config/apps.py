from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The roof is an app too, for its pages, the staff's start page, and what spans the apps."""

    name = "config"

    def ready(self) -> None:
        from . import gauges  # noqa: F401 - registers itself; needs the models
