from datetime import timedelta
from itertools import count

from django.utils import timezone

from search.index import save
from search.models import Document

_numbers = count(1)


def make_document(
    title: str = "", body: str = "", *, kind: str = "post", days: float = 0, **fields: object
) -> Document:
    """Put a document into the index that became public `days` ago (negative: will become)."""
    number = next(_numbers)
    fields.setdefault("public_from", timezone.now() - timedelta(days=days))
    document = Document(
        kind=kind, object_id=number, title=title or f"Title {number}", body=body, url=f"/{kind}/{number}/", **fields
    )
    save(kind, [document])
    return document
