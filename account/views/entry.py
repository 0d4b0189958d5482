"""Coming in: register, prove the address, log in, passwords."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from account import devices
from account.forms import JoinForm, LoginForm, PasswordChangeForm, PasswordResetForm, RegisterForm, SetPasswordForm
from account.models import User
from account.registration import (
    AddressTaken,
    mail_proof,
    may_write_to,
    prove_by_reset,
    read_proof,
    read_registration,
)
from account.requests import MemberRequest
from account.views.onward import as_query, onward
from core.web.ratelimit import hit, limited


class InvalidIs422(View):
    """The site's rules for refused forms and wrong methods, for Django's own form views."""

    http_method_names = ["get", "head", "post", "options"]  # Django takes a PUT for a POST

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        response.status_code = 422
        return response


@method_decorator(limited("50/h", scope="login"), name="dispatch")
class Login(InvalidIs422, auth_views.LoginView):
    authentication_form = LoginForm
    redirect_authenticated_user = True
    extra_context = {"site_name": settings.SITE_NAME}  # Django's view would put the host's name there

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        devices.remember(self.request, response, form.get_user())
        return response


@never_cache
def admin_login(request: HttpRequest) -> HttpResponse:
    """Send the admin's visitors to the one login there is; members who are no staff would be sent round in circles."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        raise PermissionDenied
    wanted = request.GET.get("next") or reverse("admin:index")
    return redirect_to_login(wanted)


class Logout(auth_views.LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        messages.success(request, _("You are logged out."))
        # So that the back button of a shared computer shows none of the member's pages.
        response["Clear-Site-Data"] = '"cache"'
        return response


class PasswordChange(InvalidIs422, auth_views.PasswordChangeView):
    form_class = PasswordChangeForm

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        devices.remember(self.request, response, form.user)
        return response


@method_decorator(limited("10/h", scope="password-reset"), name="dispatch")
class PasswordReset(InvalidIs422, auth_views.PasswordResetView):
    form_class = PasswordResetForm


class PasswordResetConfirm(InvalidIs422, auth_views.PasswordResetConfirmView):
    form_class = SetPasswordForm
    user: User

    def get_user(self, uidb64: str) -> User | None:
        """Return whose link it is; one mailed before the account was switched off opens nothing."""
        user: User | None = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        # The link was mailed to the address, so opening it proves the address as well.
        with transaction.atomic():
            prove_by_reset(self.user)
            response = super().form_valid(form)
        devices.remember(self.request, response, self.user)
        return response


@require_http_methods(["GET", "HEAD", "POST"])
@limited("10/h")
def register(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("account:dashboard")
    form, wanted = RegisterForm(request.POST or None), onward(request)
    if request.method == "POST" and form.is_valid():
        form.register(wanted)
        return redirect(f"{reverse('account:register_done')}{as_query(wanted)}")
    context = {"form": form, "next": wanted}
    return render(request, "account/register.html", context, status=422 if form.is_bound else 200)


@require_safe
def register_done(request: HttpRequest) -> HttpResponse:
    return render(request, "account/register_done.html", {"next": onward(request)})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Make the account whose link was mailed; by a button, since mail scanners open every link of every mail."""
    wanted = onward(request)
    try:
        wish = read_registration(token)
        if wish is None:
            return render(request, "account/join.html", {"form": None}, status=410)
        form = JoinForm(request.POST or None, wish=wish)
        if form.is_valid() and form.join():
            messages.success(request, _("Thank you, your e-mail address is confirmed. You can log in now."))
            return redirect(reverse("login") + as_query(wanted))
    except AddressTaken:
        messages.info(request, _("This address has its account already. Please log in."))
        return redirect(reverse("login") + as_query(wanted))
    context = {"form": form, "email": wish.email, "next": wanted}
    return render(request, "account/join.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button rather than prove on GET: mail scanners open every link of every mail."""
    person = read_proof(token)
    if person is None:
        return render(request, "account/prove.html", {"person": None}, status=410)
    if request.method == "POST":
        person.prove_email()
        messages.success(request, _("Thank you, your e-mail address is confirmed."))
        if request.user.is_authenticated:
            return redirect(onward(request) or "account:dashboard")
        return redirect(reverse("login") + as_query(onward(request)))
    return render(request, "account/prove.html", {"person": person, "next": onward(request)})


@require_POST
@login_required
def prove_send(request: MemberRequest) -> HttpResponse:
    if not request.user.is_proven:
        if hit("prove-send", str(request.user.pk), "3/h") and may_write_to(request.user.email):
            with transaction.atomic():
                mail_proof(request.user)
        messages.success(request, _("The link is on its way to %(email)s.") % {"email": request.user.email})
    return redirect("account:dashboard")
