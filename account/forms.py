from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.contrib.auth.forms import PasswordChangeForm as DjangoPasswordChangeForm
from django.contrib.auth.forms import PasswordResetForm as DjangoPasswordResetForm
from django.contrib.auth.forms import SetPasswordForm as DjangoSetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from content.pictures import discard
from content.plaintext import LineFormField
from core.web.ratelimit import client_address, hit
from mail.addresses import plain, validate_reachable
from search import index

from . import mails, tries
from .models import Registration, User
from .names import validate_not_reserved
from .registration import NameTaken, join, register

OLDEST_YEAR = 1900
EMAIL_LENGTH = 254
NAME_TAKEN = _("A user with that username already exists.")
# Mails with a link for a new password: few for one visitor, so that a stranger does not use up the owner's.
PER_VISITOR_AND_MAILBOX = ("3/h", "5/d")
PER_MAILBOX = "20/d"


class LoginForm(AuthenticationForm):
    username = forms.CharField(
        label=_("Username or e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "username", "autocapitalize": "none"}),
    )
    # Told to everybody: who has just registered has no account yet, which nobody else must learn.
    REFUSED = _(
        "That name and password do not go together. Check both and try again. If you have just registered, open the "
        "link in our mail first."
    )
    error_messages = {"invalid_login": REFUSED, "inactive": REFUSED}


class PasswordPair(forms.Form):
    """Two fields for a new password, with one sentence of help instead of a list; what is wrong stands at the first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first, second = [name for name in self.fields if name.endswith(("password1", "password2"))]
        self.fields[first].help_text = _(
            "At least 10 characters; not your name, the site’s, a common word or only digits."
        )
        self.fields[second].label = _("The same once more")
        self.fields[second].help_text = ""

    def validate_password_for_user(self, user: User, password_field_name: str = "password2") -> None:  # noqa: S107 (a name)
        super().validate_password_for_user(user, password_field_name.replace("2", "1"))  # type: ignore[misc]


class SetPasswordForm(PasswordPair, DjangoSetPasswordForm):
    pass


class PasswordChangeForm(PasswordPair, DjangoPasswordChangeForm):
    user: User

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if not tries.check_password(self.user, password):
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


def _mailable(typed: str) -> str:
    """Return the address as it is kept; written out plainly it may be longer than what was typed, or none at all."""
    email = plain(typed)
    if len(email) > EMAIL_LENGTH:
        raise ValidationError(_("This address is too long."), code="max_length")
    validate_email(email)
    return email


class UsernameForm(forms.ModelForm):
    """A username nobody has; a taken one is told, since profiles are public. The form is never saved."""

    class Meta:
        model = User
        fields = ["username"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        validate_not_reserved(username)
        if User.objects.called(username).exists():
            raise ValidationError(NAME_TAKEN, code="unique")
        return username


class JoinForm(UsernameForm):
    """Confirm the address, and choose another name if somebody has taken it since."""

    def __init__(self, data: Any, *, wish: Registration) -> None:
        super().__init__(data, initial={"username": wish.username})
        self.wish = wish

    def join(self) -> User | None:
        """Return the new member, or None when somebody else has just taken the name, which is then said."""
        try:
            return join(self.wish, self.cleaned_data["username"])
        except NameTaken:
            self.add_error("username", ValidationError(NAME_TAKEN, code="unique"))
            return None


class RegisterForm(PasswordPair, UsernameForm, BaseUserCreationForm):
    """
    Sign up. A known e-mail address is not told.

    `register` decides what happens. The address is no field of Meta, or the model's constraint would tell who is a
    member.
    """

    first_name = LineFormField(label=_("First name"), max_length=60, widget=forms.TextInput())
    email = forms.EmailField(label=_("E-mail address"), max_length=254, validators=[validate_reachable])

    class Meta:
        model = User
        fields = ["username", "first_name"]

    field_order = ["username", "first_name", "email", "password1", "password2"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, hint in {"first_name": "given-name", "email": "email"}.items():
            self.fields[name].widget.attrs["autocomplete"] = hint

    def clean_email(self) -> str:
        # On the instance for the validator that compares password and address.
        self.instance.email = _mailable(self.cleaned_data["email"])
        return str(self.instance.email)

    def register(self, onward: str = "") -> None:
        data = {name: self.cleaned_data[name] for name in ("username", "first_name", "email")}
        register(**data, password=self.cleaned_data["password1"], onward=onward)


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "photo", "date_of_birth", "bio", "link"]
        widgets = {
            "date_of_birth": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            "bio": forms.Textarea(attrs={"rows": 4}),
            "link": forms.URLInput(attrs={"placeholder": "https://"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.old_photo = self.instance.photo.name
        self.fields["photo"].widget.attrs["data-preview"] = "preview"

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 (Django's signature)
        with transaction.atomic():
            user: User = super().save(commit)
            index.write(user)
        if self.old_photo != user.photo.name:
            discard(self.old_photo or "")
        return user

    def clean_date_of_birth(self) -> date | None:
        born: date | None = self.cleaned_data["date_of_birth"]
        if born and not OLDEST_YEAR <= born.year <= timezone.localdate().year - 5:
            raise ValidationError(_("Enter your date of birth, or leave it empty."), code="date_of_birth")
        return born


class ConfirmedForm(forms.Form):
    """Asks for the password again, of those who have one (Google's members do not)."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not user.has_usable_password():
            del self.fields["password"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not tries.check_password(self.user, password):
            raise ValidationError(_("That is not your password."), code="password")
        return password


class EmailForm(ConfirmedForm):
    email = forms.EmailField(label=_("New e-mail address"), max_length=254, validators=[validate_reachable])

    field_order = ["email", "password"]

    def clean_email(self) -> str:
        email = _mailable(self.cleaned_data["email"])
        if email == self.user.email:
            raise ValidationError(_("That is your address already."), code="same")
        return email


class LeaveForm(ConfirmedForm):
    username = forms.CharField(label=_("Type your username to confirm"), widget=forms.TextInput())

    field_order = ["username", "password"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if username != self.user.username:
            raise ValidationError(_("That is not your username."), code="username")
        return username


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=60,  # a recovery code with its hyphens, or with blanks
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "autofocus": True, "spellcheck": "false"}
        ),
    )

    def refuse(self) -> None:
        if not self.errors:
            self.add_error("code", ValidationError(_("That code is not right, or was used already."), code="code"))


class SetUpForm(ConfirmedForm, CodeForm):
    """Asks for the password too, unless it was given just now: a browser left open must not lock its owner out."""

    field_order = ["code", "password"]

    def __init__(self, *args: Any, is_recent: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_recent:
            self.fields.pop("password", None)


class PasswordResetForm(DjangoPasswordResetForm):
    """Django's form, with the mail going through the outbox and its link built from SITE_URL, never from Host."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")

    def get_users(self, email: str) -> list[User]:
        """Return whose address it is, with or without a password: who came by Google may want one too."""
        return list(User.objects.filter(email=email, is_active=True))

    def clean_email(self) -> str:
        return _mailable(self.cleaned_data["email"])

    def save(self, **kwargs: Any) -> None:  # type: ignore[override]
        email = self.cleaned_data["email"]
        if not self._may_write_to(email, client_address(kwargs["request"])):
            return
        known = self.get_users(email)
        with transaction.atomic():
            user = known[0] if known else User(pk=0, username="nobody", email=email)
            mail = mails.password_reset(user, default_token_generator.make_token(user))
            if not known:
                mail.delete()  # the same work for an address that is nobody's, so that time does not tell

    def _may_write_to(self, email: str, client: str) -> bool:
        """Count the mail, for unknown addresses too, so that reaching the limit tells nothing."""
        for rate in PER_VISITOR_AND_MAILBOX:
            if not hit("password-reset-visitor", f"{client} {email}", rate):
                return False
        return hit("password-reset-mailbox", email, PER_MAILBOX)
