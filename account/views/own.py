"""What is one's own: dashboard, profile, address, sessions, data, leaving."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from account import leaving
from account.forms import EmailForm, LeaveForm, ProfileForm
from account.models import User
from account.registration import mail_new_address, read_new_address, take_new_address
from account.requests import MemberRequest
from account.sessions import hashed
from account.views.again import asks_again
from actions.models import Action
from actions.stream import Line, latest, told
from archive import personal_data
from core.caching.pages import may_lag
from core.serving.intake import takes_files
from core.web.ratelimit import brings_a_file, limited

ACTIONS_READ = 50


@require_safe
@may_lag
@login_required
def dashboard(request: MemberRequest) -> HttpResponse:
    hidden = request.user.hidden_ids()
    followed = request.user.followed_ids()
    lines = latest(followed - hidden, request.user) if followed else _of_everybody(request.user, hidden)
    context = {"lines": lines, "follows_nobody": not followed}
    return render(request, "account/dashboard.html", context)


def _of_everybody(user: User, hidden: set[int]) -> list[Line]:
    return told(Action.objects.exclude(actor__in={user.pk, *hidden}).newest(ACTIONS_READ), user)


@takes_files
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("60/min", "600/d", scope="profile")
@limited("20/min", "200/d", scope="profile-photo", of=brings_a_file)  # each costs a second to draw anew
def edit(request: MemberRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, request.FILES or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Profile saved."))
        return redirect("account:edit")
    return render(request, "account/edit.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@asks_again
@limited("5/h")
def email_change(request: MemberRequest) -> HttpResponse:
    form = EmailForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        mail_new_address(request.user, form.cleaned_data["email"])
        messages.success(request, _("Open the link that we have mailed to the new address; then it is yours here."))
        return redirect("account:edit")
    return render(request, "account/email_change.html", {"form": form}, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def email_confirm(request: MemberRequest, token: str) -> HttpResponse:
    """Show a button rather than act on GET: mail scanners open every link of every mail."""
    is_done = request.method == "POST" and take_new_address(token, request.user)
    if not is_done:
        is_good = request.method != "POST" and read_new_address(token, request.user) is not None
        return render(request, "account/email_confirm.html", {"is_good": is_good}, status=200 if is_good else 410)
    messages.success(request, _("Your new e-mail address is in use."))
    return redirect("account:dashboard")


def _here(request: HttpRequest) -> str:
    return hashed(request.session.session_key or "")


@never_cache
@require_safe
@login_required
def session_list(request: MemberRequest) -> HttpResponse:
    sessions = request.user.sessions.filter(expire_date__gt=timezone.now()).order_by("-created_at")
    context = {"sessions": sessions, "current": _here(request)}
    return render(request, "account/session_list.html", context)


@require_POST
@login_required
def session_end(request: MemberRequest) -> HttpResponse:
    """End one session, named by its public id, or all but this one."""
    others = request.user.sessions.exclude(session_key=_here(request))
    wanted = request.POST.get("session", "")
    keys = [session.session_key for session in others if wanted in ("others", session.public_id)]
    others.filter(session_key__in=keys).delete()
    messages.success(request, _("Logged out there."))
    return redirect("account:session_list")


@require_POST
@login_required
@limited("5/h")
def data_export(request: MemberRequest) -> FileResponse:
    """Hand over all that the site keeps about the member."""
    file = personal_data.zip_of(request.user)
    name = f"{settings.SITE_NAME}-{request.user.username}-{timezone.localdate()}.zip"
    return FileResponse(file, as_attachment=True, filename=name)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@asks_again
@limited("10/h")
def leave(request: MemberRequest) -> HttpResponse:
    form = LeaveForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid() and not request.user.is_staff:
        leaving.leave(request.user)
        logout(request)
        messages.success(request, _("Your account is deleted. Farewell."))
        return redirect("home")
    return render(request, "account/leave.html", {"form": form}, status=422 if form.is_bound else 200)
