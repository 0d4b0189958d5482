"""A clock that stands still, so that a limit can be met to the microsecond however slow the machine is."""

from datetime import datetime, timedelta
from unittest import mock

from django.utils import timezone

MOMENT = timedelta(microseconds=1)


def stopped(at: datetime | None = None) -> mock._patch:
    """Stop Django's clock, now or at a moment, for as long as the context lasts."""
    moment = at or timezone.now()
    return mock.patch.object(timezone, "now", lambda: moment)
