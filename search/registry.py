"""How a model becomes a document of the one index."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models

from core.people import Member


@dataclass(frozen=True)
class Entry:
    """What is found and shown of one object, as plain text. `public_from` None means it is not to be found at all."""

    title: str
    url: str
    summary: str = ""
    body: str = ""
    tags: str = ""
    public_from: datetime | None = None


class Registration(NamedTuple):
    kind: str
    maker: Callable[..., Entry]
    rows: Callable[[], models.QuerySet[Any]]
    of_person: Callable[[Member], models.QuerySet[Any]]
    withheld: Callable[[Member, Collection[int]], Collection[int]]


_registrations: dict[type[models.Model], Registration] = {}


def register(
    model: type[models.Model],
    kind: str,
    maker: Callable[..., Entry],
    *,
    rows: Callable[[], models.QuerySet[Any]] | None = None,
    of_person: Callable[[Member], models.QuerySet[Any]] | None = None,
    withheld: Callable[[Member, Collection[int]], Collection[int]] = lambda viewer, ids: (),
) -> None:
    """
    Call from AppConfig.ready: `kind` is a short name such as "post", `maker` turns an object into an Entry.

    `rows` gives `manage.py reindex` all objects with what `maker` needs (select_related, prefetch_related);
    `of_person` those that are found only while this person's account is active; `withheld` returns which of these ids
    are not shown to a member who is logged in.
    """
    all_rows = rows or model._default_manager.all
    none = model._default_manager.none
    _registrations[model] = Registration(kind, maker, all_rows, of_person or (lambda person: none()), withheld)


def registration(obj: models.Model) -> Registration:
    return _registrations[obj._meta.concrete_model]  # type: ignore[index]


def registrations() -> Iterator[Registration]:
    yield from _registrations.values()
