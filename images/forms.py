from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from content.fetch import TEXT as UNREACHABLE
from content.fetch import FetchRefused, parse
from content.pictures import PictureFormField
from content.plaintext import LineFormField
from core.jobs.background import delay_on_commit
from search import index

from .models import Image
from .page import tidy_title, title_of_address

if TYPE_CHECKING:
    from account.models import User

is_web_address = URLValidator(["http", "https"])


MAX_CANDIDATES = 24


def candidates_in(addresses: Iterable[str]) -> list[str]:
    """Return what of the bookmarklet's finds may be offered: whole web addresses, each once."""
    return [url for url in dict.fromkeys(addresses) if len(url) <= 2000 and _is_offered(url)][:MAX_CANDIDATES]


def _is_offered(url: str) -> bool:
    try:
        parse(url)
    except FetchRefused:
        return False
    return True


def preview(url: str, number: int) -> SafeString:
    # The visitor's browser loads it from where it is; we have not fetched anything yet.
    alt = gettext("Picture %(number)s") % {"number": number}
    return format_html('<img src="{}" alt="{}" loading="lazy" referrerpolicy="no-referrer">', url, alt)


class ImageForm(forms.ModelForm):
    class Meta:
        model = Image
        fields = ["title", "alt", "description", "is_private"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def save(self, commit: bool = True) -> Image:  # noqa: FBT001, FBT002 (Django's signature)
        with transaction.atomic():
            image: Image = super().save(commit)
            if image.is_ready:
                index.write(image)
        return image


class ImageCreateForm(forms.ModelForm):
    """Save a picture by the address of it or of its page, or by upload."""

    source_url = forms.CharField(
        label=_("Address of a picture or a page"),
        help_text=_("Of the picture itself, or of a page that shows it."),
        max_length=2000,
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )
    upload = PictureFormField(
        label=_("Or a file of yours"),
        required=False,
        help_text=format_lazy(
            _("JPEG, PNG, WebP or GIF, at most {megabytes} MB. Of an animation the first picture is kept."),
            megabytes=settings.PICTURE_MB,
        ),
    )
    title = LineFormField(label=_("Title"), max_length=200, required=False)

    class Meta:
        model = Image
        fields = ["source_url", "upload", "title", "alt", "description", "is_private", "page_url"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3}), "page_url": forms.HiddenInput()}

    def __init__(self, *args: Any, owner: "User", candidates: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.owner = owner
        self.fields["upload"].widget.attrs["data-preview"] = "preview"
        self.fields["title"].help_text = _("Left empty, it is taken from where the picture is.")
        for name in ("source_url", "upload"):
            # One of the two is needed, so neither is called optional.
            self.fields[name].is_one_of_two = True  # type: ignore[attr-defined]
        self.candidates = candidates
        if candidates:
            del self.fields["upload"]
            self.fields["source_url"].label = _("Which picture?")
            self.fields["source_url"].help_text = ""
            self.fields["source_url"].widget = forms.RadioSelect(
                choices=[(url, preview(url, number)) for number, url in enumerate(candidates, 1)],
                attrs={"class": "candidates"},
            )

    def clean_source_url(self) -> str:
        """Say at once what can be known without looking; what an address leads to shows in the background."""
        url: str = self.cleaned_data["source_url"].strip()
        if url:
            try:
                parse(url)
            except FetchRefused as error:
                raise ValidationError(UNREACHABLE, code="address") from error
        return url

    def clean_page_url(self) -> str:
        # Only a credit: an odd one is dropped rather than held against whoever saves the picture.
        url: str = self.cleaned_data["page_url"].strip()
        try:
            is_web_address(url)
        except ValidationError:
            return ""
        return url

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        if bool(data.get("source_url")) == bool(data.get("upload")):
            raise ValidationError(_("Give an address or choose a file, one of the two."), code="one_of_two")
        if data.get("upload") and (twin := self.instance.twin(data["upload"].picture.digest)):
            text = gettext("You have this picture already:")
            link = format_html('{} <a href="{}">{}</a>', text, twin.get_absolute_url(), twin)
            raise ValidationError(link, code="twin")
        data["title"] = data.get("title") or self._title_from_source(data)
        return data

    def _title_from_source(self, data: dict[str, Any]) -> str:
        if data.get("upload"):
            title = tidy_title(str(data["upload"].name).rpartition(".")[0])
        else:
            title = title_of_address(data["source_url"])
        return title or gettext("Untitled")

    def save(self, commit: bool = True) -> Image:  # noqa: FBT001, FBT002 (Django's signature)
        image: Image
        if upload := self.cleaned_data.get("upload"):
            image = super().save()
            image.keep(upload.picture)
            return image
        with transaction.atomic():
            image = super().save()
            delay_on_commit("images.tasks.fetch_picture", image.pk)
        return image
