"""
Pictures that people hand us: decoded by content, re-encoded, and cut into thumbnails, all at the moment of writing.

Nothing of the uploaded file survives but its pixels: metadata, trailing bytes and the file's name are dropped, after
the pixels were turned upright and their colours translated to sRGB, which is what browsers take a picture without a
profile to be. Of an animation the first picture is kept: a board of moving pictures is no place to look at one. A page
that shows the picture needs no query and no look at the disk, because a thumbnail's name and size follow from the name
and size of the picture (`{% picture %}` in content/templatetags/pictures.py).

A model keeps a picture in a `PictureField`:

    image = PictureField(_("image"), upload_to="products", width_field="image_width", height_field="image_height")
    image_width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    image_height = models.PositiveIntegerField(null=True, blank=True, editable=False)

and a template shows it by `{% picture product.image "tile" alt=product.image_alt %}`.
"""

import hashlib
import secrets
import threading
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, default_storage
from django.db import models, transaction
from django.db.models.fields.files import ImageFieldFile
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from . import pixels
from .child import Child, Ended

MAX_BYTES = settings.PICTURE_MB * 1024**2
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
REFUSED = format_lazy(
    _(
        "This is not a picture we can use. Take a JPEG, PNG, WebP or GIF of at most {megabytes} MB and 20 megapixels "
        "(a JPEG may have 40)."
    ),
    megabytes=settings.PICTURE_MB,
)

# Twenty megapixels with sixteen bits a channel and a profile take up to 700 MB and some seconds.
_child = Child(pixels.__file__, cpu_seconds=15.0, memory_bytes=1_500_000_000)
# A process works on one picture, and the others wait.
_one_at_a_time = threading.Lock()


class PictureRefused(ValueError):
    """The bytes are no picture of an accepted kind and size. There is one text for all reasons."""

    def __init__(self) -> None:
        super().__init__(str(REFUSED))


@dataclass(frozen=True)
class Picture:
    """A decoded and re-encoded picture; `digest` is of the pixels, so that other metadata is the same picture."""

    content: bytes
    format: str
    width: int
    height: int
    digest: str
    image: Image.Image


@dataclass(frozen=True)
class StoredPicture:
    name: str
    width: int
    height: int
    digest: str


def read_picture(source: "bytes | File[bytes]") -> Picture:
    """Decode and re-encode what somebody sent, or raise PictureRefused."""
    data = source if isinstance(source, bytes) else _read(source)
    if not 0 < len(data) <= MAX_BYTES:
        raise PictureRefused
    with _one_at_a_time:
        return _decoded(data)


def _decoded(data: bytes) -> Picture:
    try:
        kind, image = pixels.unpacked(_child.ask(data))
    except (Ended, ValueError) as error:
        raise PictureRefused from error
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height}".encode())
    digest.update(image.tobytes())
    return Picture(_encode(image, kind), kind, image.width, image.height, digest.hexdigest(), image)


def _read(source: "File[bytes]") -> bytes:
    source.seek(0)
    data: bytes = source.read(MAX_BYTES + 1)
    source.seek(0)
    return data


def _encode(image: Image.Image, kind: str) -> bytes:
    out = BytesIO()
    options: dict[str, Any] = {"JPEG": {"quality": 88, "optimize": True}, "WEBP": {"quality": 88}}.get(kind, {})
    image.save(out, kind, exif=b"", **options)
    return out.getvalue()


# --- Files: the picture under a random name, its thumbnails beside it -----------------------------------------------


def random_name(folder: str, kind: str) -> str:
    return _random_name(folder, EXTENSIONS[kind])


def _random_name(folder: str, extension: str) -> str:
    token = secrets.token_hex(16)
    return f"{folder.strip('/')}/{token[:2]}/{token}.{extension}"


def store_picture(
    source: "bytes | File[bytes] | Picture", folder: str, storage: Storage = default_storage
) -> StoredPicture:
    """Write the picture and its thumbnails under a random name in `folder`; raise PictureRefused for anything else."""
    picture = source if isinstance(source, Picture) else read_picture(source)
    name = storage.save(random_name(folder, picture.format), ContentFile(picture.content))
    write_thumbnails(name, picture.image, storage)
    return StoredPicture(name, picture.width, picture.height, picture.digest)


def aliases() -> dict[str, dict[str, Any]]:
    return cast(dict[str, dict[str, Any]], settings.THUMBNAILS)


def thumbnail_name(name: str, alias: str) -> str:
    return f"{name.rpartition('.')[0]}.{alias}.webp"


def thumbnail_size(width: int, height: int, alias: str) -> tuple[int, int]:
    """Return how large write_thumbnails makes it; smaller pictures are not blown up."""
    options = aliases()[alias]
    target_width, target_height = options["size"]
    scale = max(target_width / width, target_height / height)
    if scale < 1:
        width, height = round(width * scale), round(height * scale)
    if options.get("crop"):
        width, height = min(width, target_width), min(height, target_height)
    return max(width, 1), max(height, 1)


def write_thumbnails(name: str, image: Image.Image, storage: Storage = default_storage) -> None:
    # Cutting from a picture of twice the largest thumbnail instead of from 16 megapixels is ten times quicker.
    source = image.copy()
    source.thumbnail((3200, 3200))
    for alias, options in aliases().items():
        size = thumbnail_size(image.width, image.height, alias)
        cut = _cut(source, size) if options.get("crop") else source.resize(size, Image.Resampling.LANCZOS)
        out = BytesIO()
        cut.save(out, "WEBP", quality=options.get("quality", 80))
        storage.save(thumbnail_name(name, alias), ContentFile(out.getvalue()))


def _cut(source: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scale the picture until it just covers `size`, and cut off what is too much."""
    image = ImageOps.cover(source, size, Image.Resampling.LANCZOS)
    if image.width > size[0]:
        return _narrowed(image, size[0])
    return _narrowed(image.transpose(Image.Transpose.TRANSPOSE), size[1]).transpose(Image.Transpose.TRANSPOSE)


def _narrowed(image: Image.Image, width: int) -> Image.Image:
    """Cut the picture down to this width, slice by slice, on the side where less is to be seen."""
    left, right = 0, image.width
    while extra := right - left - width:
        wide = min(extra, max(extra // 5, 10))
        first, last = (image.crop((x, 0, x + wide, image.height)).entropy() for x in (left, right - wide))
        if abs(first - last) <= last / 100:  # as much on either
            left, right = left + wide // 2, right - (wide - wide // 2)
        elif first < last:
            left += wide
        else:
            right -= wide
    return image.crop((left, 0, right, image.height))


def stem(name: str) -> str:
    """Return what a picture and its thumbnails share: "images/ab/abcd" of "images/ab/abcd.tile.webp"."""
    folder, _slash, file = name.rpartition("/")
    return f"{folder}/{file.partition('.')[0]}"


def files_of(name: str) -> list[str]:
    return [name, *(thumbnail_name(name, alias) for alias in aliases())]


def discard(name: str, storage: Storage = default_storage) -> None:
    """Delete the picture and its thumbnails once the transaction that forgets them is committed."""
    if not name:
        return

    def delete() -> None:
        for path in files_of(name):
            storage.delete(path)

    transaction.on_commit(delete, robust=True)


def hide(name: str, storage: Storage = default_storage) -> str:
    """
    Give the picture a new random name, as it is no longer for everybody, and return that; the caller stores it.

    Whoever knew the old address finds nothing there once the transaction has committed. The files are copied before and
    deleted after, so a crash in between leaves files without a row, which content/orphans.py deletes.
    """
    if not name:
        return name
    new = _random_name(name.partition("/")[0], name.rpartition(".")[2])
    copied = [_copy(old, copy, storage) for old, copy in zip(files_of(name), files_of(new), strict=True)]
    if not any(copied):
        return name
    discard(name, storage)
    return new


def _copy(name: str, copy: str, storage: Storage) -> bool:
    try:
        with storage.open(name) as file:
            storage.save(copy, file)
    except FileNotFoundError:
        return False
    return True


# --- The field ------------------------------------------------------------------------------------------------------


class PictureFile(ImageFieldFile):
    """What `product.image` is: knows its size from the row, and re-encodes whatever is saved into it."""

    field: "PictureField"
    _committed: bool

    def _size_in_row(self) -> tuple[int, int] | None:
        if not self._committed or not self.field.width_field:
            return None
        size = getattr(self.instance, self.field.width_field), getattr(self.instance, self.field.height_field)
        return size if all(size) else None

    @property
    def width(self) -> int:
        size = self._size_in_row()
        return size[0] if size else super().width

    @property
    def height(self) -> int:
        size = self._size_in_row()
        return size[1] if size else super().height

    def save(self, name: str, content: "File[Any]", save: bool = True) -> None:  # noqa: FBT001, FBT002 (Django's signature)
        picture = getattr(content, "picture", None) or read_picture(content)
        super().save(random_name("", picture.format), ContentFile(picture.content), save=False)
        if self.field.width_field:
            setattr(self.instance, self.field.width_field, picture.width)
            setattr(self.instance, self.field.height_field, picture.height)
        write_thumbnails(str(self.name), picture.image, self.storage)
        if save:
            self.instance.save()

    save.alters_data = True  # type: ignore[attr-defined]

    def discard(self) -> None:
        """Delete the files after commit; the caller clears or replaces the field."""
        discard(self.name or "", self.storage)

    discard.alters_data = True  # type: ignore[attr-defined]


class PictureFormField(forms.ImageField):
    """A file field that refuses, as a field error, what read_picture refuses; a file's name says nothing."""

    default_validators = []

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "accept": ",".join(pixels.MEDIA_TYPES.values())}

    def to_python(self, data: Any) -> Any:
        file = forms.FileField.to_python(self, data)
        if file is None:
            return None
        try:
            file.picture = read_picture(file)  # type: ignore[attr-defined]
        except PictureRefused as error:
            raise ValidationError(REFUSED, code="picture") from error
        return file


class PictureField(models.ImageField):
    """An ImageField whose files come out of read_picture, with thumbnails, under random names."""

    attr_class = PictureFile
    width_field: str
    height_field: str

    def generate_filename(self, instance: models.Model | None, filename: Any) -> str:
        return f"{str(self.upload_to).strip('/')}/{str(filename).lstrip('/')}"

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PictureFormField, **kwargs})
