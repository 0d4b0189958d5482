"""A request whose member is known."""

from core.web.http import SiteRequest

from .models import User


class MemberRequest(SiteRequest):
    """A request behind @login_required, or to the admin."""

    user: User
