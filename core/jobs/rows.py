"""Going through rows so that one that fails does not keep the others waiting; for sweeps."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

logger = logging.getLogger(__name__)


class SomeFailed(Exception):
    """Raised at the end of a sweep, so that staff and monitors hear of it; the log says which rows and why."""


def each(act: Callable[[Any], object], rows: Iterable[Any]) -> int:
    """Do it to every row and return how often it answered yes; raises SomeFailed when all have had their turn."""
    done, failed = 0, []
    for row in rows:
        try:
            done += bool(act(row))
        except Exception:
            logger.exception("%s(%r) failed", act.__name__, row)
            failed.append(row)
    if failed:
        raise SomeFailed(f"{act.__name__} failed for {len(failed)}, first for {failed[0]!r}")
    return done
