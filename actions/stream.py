"""What the people somebody follows did lately, as lines to read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any, NamedTuple

from django.apps import apps

from core.people import Viewer

from .models import Action, ActionQuerySet
from .templatetags.actions_tags import ago

MAX_NAMED = 3  # targets of a line that are named one by one
MAX_PICTURED = 8
FOLDED_WITHIN = timedelta(hours=12)


class Act(NamedTuple):
    """What is read of an action: as plain values, since a page reads five times as many as it shows."""

    actor_id: int
    username: str
    first_name: str
    verb: str
    target_kind: str
    target_id: int | None
    created_at: datetime


class Thing(NamedTuple):
    """What a line shows of a target. A query set whose `things` returns them saves the making of a hundred objects."""

    pk: int
    name: str
    url: str
    file: str = ""
    width: int | None = None
    height: int | None = None


FIELDS = ("actor_id", "actor__username", "actor__first_name", "verb", "target_kind", "target_id", "created_at")


@dataclass
class Line:
    """One act, or a run of the same act by the same person: `targets` holds them all, the newest first."""

    act: Act
    verb_label: str
    targets: list[Thing] = field(default_factory=list)

    @property
    def named(self) -> list[Thing]:
        return self.targets[:MAX_NAMED]

    @property
    def unnamed(self) -> int:
        return max(0, len(self.targets) - MAX_NAMED)

    @property
    def pictured(self) -> list[Thing]:
        """The targets that are pictures."""
        return [target for target in self.targets if target.file][:MAX_PICTURED]

    @property
    def things(self) -> str:
        """What the targets are, such as "images"; empty for a single one, which its name tells."""
        return str(apps.get_model(self.act.target_kind)._meta.verbose_name_plural) if len(self.targets) > 1 else ""

    @property
    def shown(self) -> tuple[Any, ...]:
        """Return all that is shown of it (`{% fragment_each %}`)."""
        return (*self.act, ago(self.act.created_at), len(self.targets), *self.targets[:MAX_PICTURED])


def latest(user_ids: Iterable[int], viewer: Viewer, *, limit: int = 20) -> list[Line]:
    """Return the newest lines of these people. Fewer than `limit` when much is withheld."""
    acts = _read(Action.objects.by(user_ids)[: limit * 5])
    # The targets of what comes after would be read for nothing; a third more, since some may be withheld.
    return _lines(_first_runs(acts, limit * 4 // 3), viewer)[:limit]


def told(actions: ActionQuerySet, viewer: Viewer) -> list[Line]:
    """
    Return these actions as lines; 1 query, and 1 for each type of target.

    Left out is what points to something that is gone, or that its model's `shown_to(viewer)` withholds.
    """
    return _lines(_read(actions), viewer)


def _read(actions: ActionQuerySet) -> list[Act]:
    return [Act(*row) for row in actions.values_list(*FIELDS)]


def _first_runs(acts: Iterable[Act], number: int) -> list[Act]:
    runs = groupby(acts, lambda act: (act.actor_id, act.verb, act.target_kind))
    return [act for _kind, run in islice(runs, number) for act in run]


def _lines(acts: list[Act], viewer: Viewer) -> list[Line]:
    return fold(acts, _targets(acts, viewer))


def _targets(acts: Iterable[Act], viewer: Viewer) -> dict[str, dict[int, Thing]]:
    """Return what was acted on and may be shown, by kind and id."""
    wanted = defaultdict(set)
    for act in acts:
        if act.target_id:
            wanted[act.target_kind].add(act.target_id)
    return {kind: _visible(kind, ids, viewer) for kind, ids in wanted.items()}


def _visible(kind: str, ids: set[int], viewer: Viewer) -> dict[int, Thing]:
    try:
        model = apps.get_model(kind)
    except LookupError:  # a model that the site once had
        return {}
    manager: Any = model._default_manager
    rows = manager.shown_to(viewer) if hasattr(manager, "shown_to") else manager.all()
    found = rows.filter(pk__in=ids).order_by()
    return {thing.pk: thing for thing in (found.things() if hasattr(found, "things") else map(_thing, found))}


def _thing(row: Any) -> Thing:
    return Thing(row.pk, str(row), row.get_absolute_url() if hasattr(row, "get_absolute_url") else "")


def fold(acts: Iterable[Act], targets: dict[str, dict[int, Thing]]) -> list[Line]:
    """Turn runs of the same act by the same person into one line each."""
    labels, lines = dict(Action.Verb.choices), list[Line]()
    for act in acts:
        target = targets[act.target_kind].get(act.target_id) if act.target_id else None
        if act.target_kind and target is None:
            continue
        if target and lines and _continues(lines[-1], act):
            if target not in lines[-1].targets:
                lines[-1].targets.append(target)
        else:
            lines.append(Line(act, str(labels.get(act.verb, act.verb)), [target] if target else []))
    return lines


def _continues(line: Line, act: Act) -> bool:
    run = line.act
    same = (run.actor_id, run.verb, run.target_kind) == (act.actor_id, act.verb, act.target_kind)
    return same and bool(line.targets) and run.created_at - act.created_at <= FOLDED_WITHIN
