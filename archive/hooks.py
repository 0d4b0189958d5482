"""What has to be made anew after a restore, said by those who know it; the archive knows no app."""

from collections.abc import Callable

_for_another_engine: list[Callable[[], object]] = []


def rebuild_for_another_engine(act: Callable[[], object]) -> None:
    """Register what is stored in a way of the database's own: it is rebuilt when the archive comes from the other one."""
    _for_another_engine.append(act)


def come_from_another_engine() -> None:
    for act in _for_another_engine:
        act()
