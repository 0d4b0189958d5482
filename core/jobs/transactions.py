"""
What belongs into a transaction, such as a mail beside the row it tells of, refuses to happen outside one.

The question is asked in a way that a test cannot answer wrongly: the block that Django's TestCase opens around every
test does not count, so a view that forgot its own `atomic()` fails in its test as it would on the site.
"""

from django.db import transaction


def is_open() -> bool:
    """Tell whether the code has opened a transaction of its own."""
    try:
        # Django refuses a durable block inside another one, except inside TestCase's.
        with transaction.atomic(durable=True, savepoint=False):
            return False
    except RuntimeError:
        return True


def require(act: str) -> None:
    """Raise TransactionManagementError, naming the act, outside a transaction of the code's own."""
    if not is_open():
        raise transaction.TransactionManagementError(f"{act} belongs into the transaction that causes it.")
