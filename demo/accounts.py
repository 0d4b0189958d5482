"""Demo accounts whose password stands in this repository: they must not be there when the site goes live."""

from django.db.models import Q

from account.models import User

from .people import DOMAIN, MEMBER, PASSWORD, STAFF


def with_known_password() -> list[User]:
    """Return the accounts that anybody who has read the README can log in to."""
    accounts = User.objects.filter(Q(username__in=[MEMBER, STAFF]) | Q(email__endswith=DOMAIN), is_active=True)
    return [user for user in accounts.order_by("-is_staff") if user.check_password(PASSWORD)]
