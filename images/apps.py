from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from search import registry


class ImagesConfig(AppConfig):
    name = "images"
    verbose_name = _("Pinboard")

    def ready(self) -> None:
        from .documents import image_entry
        from .models import Image

        registry.register(
            Image,
            "image",
            image_entry,
            rows=lambda: Image.objects.select_related("owner"),
            of_person=lambda person: Image.objects.of(person.pk).select_related("owner"),
            withheld=lambda viewer, ids: Image.objects.withheld_from(viewer, ids),
        )
