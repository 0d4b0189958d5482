"""Many people doing the same thing at once, for tests of what must not race."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection


def all_at_once(act: Callable[[Any], Any], people: Iterable[Any]) -> list[Any]:
    """Call `act` for each of the people, in as many threads, started at the same moment; return their answers."""
    people = list(people)
    start = Barrier(len(people))

    def one(person: Any) -> Any:
        start.wait(timeout=30)
        try:
            return act(person)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(people)) as pool:
        return list(pool.map(one, people))
