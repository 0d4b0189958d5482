"""Who has no password cannot be asked for it again: they log in again before they change how one logs in."""

from functools import wraps

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from account.requests import MemberRequest
from account.sessions import is_recent
from core.web.ratelimit import View


def asks_again(view: View) -> View:
    """Let a member whom Google vouches for come here only minutes after logging in; others give their password here."""

    @wraps(view)
    def wrapped(request: MemberRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.user.has_usable_password() or is_recent(request):
            return view(request, *args, **kwargs)
        messages.warning(request, _("Log out and in again first: this page is open for ten minutes after a login."))
        return redirect("account:edit")

    return wrapped
