from datetime import timedelta
from itertools import count

from django.utils import timezone

from search.index import document_of, save
from search.models import Document
from search.registry import Entry

_numbers = count(1)


def make_document(
    title: str = "", body: str = "", *, kind: str = "post", days: float = 0, summary: str = "", tags: str = ""
) -> Document:
    """Put a document into the index that became public `days` ago (negative: will become)."""
    number = next(_numbers)
    public_from = timezone.now() - timedelta(days=days)
    url = f"/{kind}/{number}/"
    entry = Entry(title or f"Title {number}", url, summary, body, tags, public_from)
    document = document_of(kind, number, entry)
    save(kind, [document])
    return document
