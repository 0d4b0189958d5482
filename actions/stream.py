"""What the people somebody follows did lately, as lines to read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import models

from core.people import Member, Viewer

from .models import Action

MAX_NAMED = 3  # targets of a line that are named one by one
MAX_PICTURED = 8
FOLDED_WITHIN = timedelta(hours=12)


@dataclass
class Line:
    """One act, or a run of the same act by the same person: `targets` holds them all, the newest first."""

    actor: Member
    verb: str
    verb_label: str
    created_at: datetime
    target_kind: str = ""
    targets: list[models.Model] = field(default_factory=list)

    @property
    def named(self) -> list[models.Model]:
        return self.targets[:MAX_NAMED]

    @property
    def unnamed(self) -> int:
        return max(0, len(self.targets) - MAX_NAMED)

    @property
    def pictured(self) -> list[models.Model]:
        """The targets that are pictures."""
        return [target for target in self.targets if getattr(target, "file", None)][:MAX_PICTURED]

    @property
    def things(self) -> str:
        """What the targets are, such as "images"; empty for a single one, which its name tells."""
        return str(self.targets[0]._meta.verbose_name_plural) if len(self.targets) > 1 else ""


def latest(user_ids: Iterable[int], viewer: Viewer, *, limit: int = 20) -> list[Line]:
    """Return the newest lines; 1 query, and 1 for each type of target. Fewer than `limit` when much is withheld."""
    return fold(Action.objects.by(user_ids)[: limit * 5].with_targets(viewer))[:limit]


def fold(actions: Iterable[Action]) -> list[Line]:
    """Turn runs of the same act by the same person into one line each."""
    lines: list[Line] = []
    for action in actions:
        if lines and _continues(lines[-1], action):
            if action.target and action.target not in lines[-1].targets:
                lines[-1].targets.append(action.target)
            continue
        targets = [] if action.target is None else [action.target]
        label = str(action.get_verb_display())
        lines.append(Line(action.actor, action.verb, label, action.created_at, action.target_kind, targets))
    return lines


def _continues(line: Line, action: Action) -> bool:
    same = (line.actor, line.verb, line.target_kind) == (action.actor, action.verb, action.target_kind)
    return same and bool(line.targets) and line.created_at - action.created_at <= FOLDED_WITHIN
