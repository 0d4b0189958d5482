"""What of a member is kept by the pinboard (archive/personal_data.py)."""

from typing import TYPE_CHECKING

from archive.personal_data import register

from .models import Image, Like

if TYPE_CHECKING:
    from account.models import User


def take_back_likes(user: "User") -> None:
    for like in Like.objects.filter(user=user).select_related("image"):
        like.image.unlike(user)  # keeps the counts right


def remove_images(user: "User") -> None:
    for image in Image.objects.of(user):
        image.remove()


def hide_images(user: "User") -> None:
    for image in Image.objects.public_files_of(user):
        image.hide()


register(Like, lambda user: Like.objects.filter(user=user), erase=take_back_likes)
register(
    Image,
    lambda user: Image.objects.of(user),
    erase=remove_images,
    hide=hide_images,
    files=lambda image: [image.file.name],
)
