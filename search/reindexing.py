"""Rebuilding the index, and finding out where it differs from what it should be."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from . import vocabulary
from .index import WRITTEN, document_of, save, words_of
from .models import Document
from .registry import Registration, registrations

CHUNK = 200


@dataclass
class Drift:
    """How many documents were missing, were not as their object is now, and belonged to no object."""

    missing: int = 0
    stale: int = 0
    left_over: int = 0

    def __bool__(self) -> bool:
        return bool(self.missing or self.stale or self.left_over)


def count() -> int:
    return sum(registration.rows().count() for registration in registrations())


def reindex(*, repair: bool = True, progress: Callable[[int], object] = lambda done: None) -> dict[str, Drift]:
    """Compare every object with its document, in memory for a few hundred at a time; `repair` writes what differs."""
    now = timezone.now()
    words: Counter[str] = Counter()
    drifts: dict[str, Drift] = {}
    for registration in registrations():
        drift = drifts.setdefault(registration.kind, Drift())
        last = 0
        for objs in _chunks(registration.rows()):
            words.update(
                word
                for document in _compare(registration, objs, drift, last, repair=repair)
                if document.public_from <= now
                for word in words_of(document)
            )
            last = objs[-1].pk
            progress(len(objs))
        _drop(Document.objects.filter(kind=registration.kind, object_id__gt=last), drift, repair=repair)
    unknown = Document.objects.exclude(kind__in=drifts)
    if unknown.exists():
        _drop(unknown, drifts.setdefault("?", Drift()), repair=repair)
    if repair:
        with transaction.atomic():
            vocabulary.rebuild(words)
            Document.objects.filter(public_from__lte=now).exclude(learn_at=None).update(learn_at=None)
            Document.objects.filter(public_from__gt=now).update(learn_at=models.F("public_from"))
    return drifts


def _chunks(rows: models.QuerySet[Any]) -> Iterator[list[models.Model]]:
    last = 0
    while objs := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield objs
        last = objs[-1].pk


def _compare(
    registration: Registration, objs: list[models.Model], drift: Drift, last: int, *, repair: bool
) -> list[Document]:
    """Return the documents of a run of objects that follow the id `last`, and put the table right."""
    entries = [(obj.pk, registration.maker(obj)) for obj in objs]
    wanted = [document_of(registration.kind, pk, entry) for pk, entry in entries if entry.public_from]
    run = Document.objects.filter(kind=registration.kind, object_id__gt=last, object_id__lte=objs[-1].pk)
    stored = {document.object_id: document for document in run}
    differing = []
    for document in wanted:
        old = stored.pop(document.object_id, None)
        if old is None:
            drift.missing += 1
        elif all(getattr(old, name) == getattr(document, name) for name in WRITTEN):
            continue
        else:
            drift.stale += 1
        differing.append(document)
    if repair:
        save(registration.kind, differing)
    _drop(run.filter(object_id__in=stored), drift, repair=repair)
    return wanted


def _drop(documents: models.QuerySet[Any], drift: Drift, *, repair: bool) -> None:
    drift.left_over += documents.delete()[0] if repair else documents.count()
