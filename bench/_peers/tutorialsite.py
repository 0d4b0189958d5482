"""The plain site's pages without select_related, prefetch_related and other care."""

from typing import Any

import plainsite


def prepare(rows: int) -> Any:
    return plainsite.prepare(rows, "/tutorial/")
