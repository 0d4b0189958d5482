"""Many threads at one line, each with its own database connection. For tests with `transaction=True`."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Barrier, Thread

from django.db import connection


def race(act: Callable[[int], object], number: int) -> list[Exception]:
    """Call `act(0)` … `act(number - 1)` at the same moment and return what they raised."""
    start, errors = Barrier(number), []

    def run(index: int) -> None:
        try:
            start.wait(timeout=30)
            act(index)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return errors


def no_transaction(*args: object, **kwargs: object) -> AbstractContextManager[None]:
    """Stand in for transaction.atomic where a negative twin must let threads meet between two statements."""
    return nullcontext()
