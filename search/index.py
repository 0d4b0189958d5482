"""
Writing the index: called by the verbs of the models that are found, in the transaction that writes their rows.

A row changed behind the verbs' back (SQL, QuerySet.update) is not in the index until `manage.py reindex` finds it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from django.db import models, transaction
from django.utils import timezone

from core.people import Member

from . import vocabulary
from .engines import markers
from .models import Document
from .registry import Entry, registration, registrations
from .unspaced import paired
from .words import vocabulary_of

MAX_BODY = 100_000  # characters; PostgreSQL refuses a tsvector of more than a megabyte
BATCH = 200
WRITTEN = ("title", "tags", "summary", "body", "url", "public_from")


def write(obj: models.Model) -> None:
    """Put the object into the index as it is now, or take it out when it is not to be found at all."""
    write_many([obj])


def write_many(objs: Iterable[models.Model]) -> None:
    """Write objects of one model; a few hundred at a time is best."""
    objs = list(objs)
    if not objs:
        return
    kind, maker, *_rest = registration(objs[0])
    made = [(obj.pk, maker(obj)) for obj in objs]
    documents = [document_of(kind, pk, entry) for pk, entry in made if entry.public_from]
    hidden = [pk for pk, entry in made if not entry.public_from]
    with transaction.atomic():
        if hidden:
            _take_out(Document.objects.filter(kind=kind, object_id__in=hidden))
        save(kind, documents)


def write_all_of(person: Member) -> None:
    """Write what is found only while this person's account is active, after it was switched off or on."""
    with transaction.atomic():
        for known in registrations():
            last = 0
            while batch := list(known.of_person(person).filter(pk__gt=last).order_by("pk")[:BATCH]):
                write_many(batch)
                last = batch[-1].pk


def remove(obj: models.Model) -> None:
    """Take the object out of the index; call it while the object still has its id."""
    with transaction.atomic():
        _take_out(Document.objects.filter(kind=registration(obj).kind, object_id=obj.pk))


def _take_out(documents: models.QuerySet[Document]) -> None:
    words: Counter[str] = Counter()
    for document in documents.select_for_update().order_by("object_id"):
        words.subtract(_learnt(document))
    documents.delete()
    vocabulary.count(words)


def learn_due() -> int:
    """Take the words of documents whose hour has come into the vocabulary; return of how many. Safe to repeat."""
    with transaction.atomic():
        waiting = Document.objects.filter(learn_at__lte=timezone.now()).order_by("learn_at", "id")
        due = list(waiting.select_for_update()[:BATCH])
        vocabulary.count(Counter(word for document in due for word in words_of(document)))
        return Document.objects.filter(pk__in=[document.pk for document in due]).update(learn_at=None)


def document_of(kind: str, object_id: int, entry: Entry) -> Document:
    fields = {
        name: markers.removed(value) if isinstance(value, str) else value for name, value in asdict(entry).items()
    }
    fields |= {name: paired(fields[name]) for name in ("title", "tags", "summary", "body")}
    return Document(kind=kind, object_id=object_id, **{**fields, "body": fields["body"][:MAX_BODY]})


def words_of(document: Document) -> set[str]:
    return vocabulary_of([document.title, document.tags, document.summary, document.body])


def _learnt(document: Document) -> set[str]:
    """Return what the vocabulary knows of it: nothing while it waits for its hour, or guesses would tell its words."""
    return set() if document.learn_at else words_of(document)


@transaction.atomic(savepoint=False)
def save(kind: str, documents: Sequence[Document]) -> None:
    if not documents:
        return
    now = timezone.now()
    words: Counter[str] = Counter()
    for document in documents:
        document.learn_at = document.public_from if document.public_from > now else None
        words.update(_learnt(document))
    ids = [document.object_id for document in documents]
    for old in Document.objects.select_for_update().filter(kind=kind, object_id__in=ids).order_by("object_id"):
        words.subtract(_learnt(old))
    Document.objects.bulk_create(
        documents, update_conflicts=True, unique_fields=["kind", "object_id"], update_fields=[*WRITTEN, "learn_at"]
    )
    vocabulary.count(words)
