from search.registry import Entry

from .models import Image


def image_entry(image: Image) -> Entry:
    return Entry(
        title=image.title,
        url=image.get_absolute_url(),
        summary=image.alt,
        body=image.description,
        public_from=image.created_at if image.is_public and image.owner.is_active else None,
    )
