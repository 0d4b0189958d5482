"""The pages of the second factor."""

import logging
import time
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from account import devices, tries
from account import second_factor as factor
from account.forms import CodeForm, ConfirmedForm, SetUpForm
from account.models import SecondFactor
from account.requests import MemberRequest
from account.sessions import is_recent
from account.views.again import asks_again
from account.views.onward import onward

BEGUN = "second_factor_begun"  # session key: when the page with the secret was last shown
SECONDS_TO_SET_UP = 3600

logger = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def second_factor(request: MemberRequest) -> HttpResponse:
    if not request.user.has_second_factor or factor.is_passed(request) or not factor.is_in_force(request.user):
        return redirect(_next(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST":
        key = tries.spend_code(request, request.user, request.POST.get("code", ""))
        if form.is_valid() and factor.check(request.user, form.cleaned_data["code"]):
            tries.give_back_code(key)
            return _let_in(request)
        logger.warning("Member %s gave a wrong code", request.user.pk)
        form.refuse()
    context = {"form": form, "next": _next(request)}
    return render(request, "account/second_factor.html", context, status=422 if form.is_bound else 200)


def _let_in(request: MemberRequest) -> HttpResponse:
    factor.mark_passed(request)
    logger.info("Member %s gave a right code", request.user.pk)
    response = redirect(_next(request))
    devices.remember(request, response, request.user, gave_code=True)
    return response


def _next(request: HttpRequest) -> str:
    return onward(request) or resolve_url(settings.LOGIN_REDIRECT_URL)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@asks_again
def second_factor_setup(request: MemberRequest) -> HttpResponse:
    if request.user.has_second_factor:
        return redirect("account:second_factor_remove")
    if not (request.user.is_proven or request.user.is_staff):
        # Whoever registers with another's address could lock its owner out for good.
        messages.error(request, _("Please confirm your e-mail address first."))
        return redirect("account:dashboard")
    begun, form = _begun(request), _set_up_form(request)
    if request.method == "POST":
        key = tries.spend_code(request, request.user)
        codes = factor.confirm(request.user, form.cleaned_data["code"]) if form.is_valid() else None
        if codes:
            tries.give_back_code(key)
            factor.mark_passed(request)
            return _codes(request, codes)
        form.refuse()
    context = {"form": form, **factor.context_of(begun, settings.SITE_NAME)}
    return render(request, "account/second_factor_setup.html", context, status=422 if form.is_bound else 200)


def _begun(request: MemberRequest) -> SecondFactor:
    """Return what is being set up; whoever saw its page an hour ago, at a browser left open, has seen another secret."""
    is_going_on = time.time() - request.session.get(BEGUN, 0) < SECONDS_TO_SET_UP
    request.session[BEGUN] = int(time.time())
    return factor.begin(request.user, anew=not is_going_on)


def _set_up_form(request: MemberRequest) -> SetUpForm:
    return SetUpForm(request.POST or None, user=request.user, is_recent=is_recent(request))


def _codes(request: MemberRequest, codes: list[str]) -> HttpResponse:
    file = quote(f"{settings.SITE_NAME}: {request.user.username}\n" + "\n".join(codes) + "\n")
    return render(request, "account/recovery_codes.html", {"codes": codes, "file": f"data:text/plain,{file}"})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@asks_again
def second_factor_remove(request: MemberRequest) -> HttpResponse:
    if not request.user.has_second_factor:
        return redirect("account:second_factor_setup")
    form = ConfirmedForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        if request.POST.get("action") == "codes":
            return _codes(request, factor.new_recovery_codes(request.user))
        factor.remove(request.user)
        messages.success(request, _("Codes are no longer asked for."))
        return redirect("account:edit")
    left = request.user.recovery_codes.filter(used_at=None).count()
    context = {"form": form, "left": left, "is_required": settings.STAFF_SECOND_FACTOR and request.user.is_staff}
    return render(request, "account/second_factor_remove.html", context, status=422 if form.is_bound else 200)
