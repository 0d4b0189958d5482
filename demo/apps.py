from django.apps import AppConfig


class DemoConfig(AppConfig):
    """An empty site filled with a small shop, to look at what Atelier does; `manage.py demo`."""

    name = "demo"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers itself; needs the models
