"""The page on which a member links a Google account, or takes it off."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from social_core.actions import do_auth
from social_django.utils import psa

from account import google as link
from account.forms import ConfirmedForm
from account.requests import MemberRequest
from core.web.ratelimit import limited


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("10/h")
def google(request: MemberRequest) -> HttpResponse:
    if not settings.SOCIAL_AUTH_GOOGLE_OAUTH2_KEY:
        raise Http404
    user, linked = request.user, link.linked(request.user)
    may_act = user.has_usable_password() and (linked is not None or user.is_proven)
    form = ConfirmedForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_bound and may_act and form.is_valid():
        return _take_off(request) if linked else _begin(request)
    context = {"form": form, "linked": linked, "may_act": may_act}
    return render(request, "account/google.html", context, status=422 if form.is_bound else 200)


def _take_off(request: MemberRequest) -> HttpResponse:
    link.unlink(request.user)
    messages.success(request, _("Your Google account is no longer linked."))
    return redirect("account:google")


def _begin(request: MemberRequest) -> HttpResponse:
    link.allow_link(request)
    leaving: HttpResponse = _leave_for_google(request, link.PROVIDER)
    return leaving


@psa("social:complete")
def _leave_for_google(request: HttpRequest, backend: str) -> HttpResponse:
    leaving: HttpResponse = do_auth(request.backend, user=request.user)  # type: ignore[attr-defined, arg-type]
    return leaving
