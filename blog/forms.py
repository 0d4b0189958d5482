from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from account.models import User
from content.plaintext import LineFormField, no_web_address, one_line, visible
from mail.addresses import validate_public

from . import tokens
from .models import Comment, Post
from .models.comments import MAX_LENGTH


class TrappedForm(forms.Form):
    """
    A form with two traps for scripts: a field that people do not see, and the signed time at which it was shown.

    `is_trapped` says that the hidden field was filled; the view then answers as if all were well, and does nothing.
    """

    website = forms.CharField(
        required=False,
        label=_("Leave this empty"),
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    token = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("token", tokens.form_token())

    @property
    def empty_fields(self) -> tuple[Any, ...] | None:
        """Return all that decides what the fields look like while nothing is typed into them (`{% fragment by … %}`)."""
        is_filled = self.is_bound or self.initial.keys() - {"token"}
        return None if is_filled else (type(self), tuple(self.fields))

    @property
    def is_trapped(self) -> bool:
        return bool(self.data.get(self.add_prefix("website")))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        problem = tokens.form_problem((cleaned or {}).get("token", ""))
        # Whatever is wrong with this form, sending it once more must not fail for the token a second time.
        self.data = self.data.copy()  # type: ignore[attr-defined]
        self.data[self.add_prefix("token")] = tokens.form_token(again=True)  # type: ignore[index]
        if problem:
            raise ValidationError(problem, code="token")
        return cleaned


class CommentForm(TrappedForm):
    """A comment; a member (`member` given) is not asked who they are, nor trapped: some browsers fill every field."""

    name = LineFormField(label=_("Name"), max_length=80, validators=[one_line, visible])
    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("Not shown to anybody."),
        max_length=254,
        validators=[validate_public],
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    body = forms.CharField(
        label=_("Comment"),
        max_length=MAX_LENGTH,
        validators=[visible],
        help_text=_("Plain text. Web addresses become links."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    field_order = ["name", "email", "body"]

    def __init__(self, *args: Any, member: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        if member:
            del self.fields["name"], self.fields["email"]

    @property
    def is_trapped(self) -> bool:
        return super().is_trapped and not self.member

    def comment(self, post: Post) -> Comment:
        """Return the comment, not yet saved."""
        data = self.cleaned_data
        if self.member:
            name = self.member.get_full_name() or self.member.get_username()
            return Comment(post=post, author=self.member, name=name[:80], email=self.member.email, body=data["body"])
        return Comment(post=post, name=data["name"], email=data["email"], body=data["body"])


class SharePostForm(TrappedForm):
    name = LineFormField(label=_("Your name"), max_length=60, validators=[one_line, visible, no_web_address])
    email = forms.EmailField(label=_("Your e-mail address"), max_length=254, validators=[validate_public])
    to = forms.EmailField(
        label=_("Send to"), help_text=_("One e-mail address."), max_length=254, validators=[validate_public]
    )
    note = forms.CharField(
        label=_("A word from you"),
        max_length=500,
        required=False,
        validators=[no_web_address],
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    field_order = ["name", "email", "to", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        self.fields["email"].widget.attrs["autocomplete"] = "email"

    def quoted_note(self) -> str:
        return "\n".join(f"> {line}" for line in self.cleaned_data["note"].splitlines())
