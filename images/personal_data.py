"""What of a member is kept by the pinboard (archive/personal_data.py)."""

from archive.personal_data import register
from core.people import Member

from .models import Image, Like


def take_back_likes(member: Member) -> None:
    for like in Like.objects.filter(user=member.pk).select_related("image", "user"):
        like.image.unlike(like.user)  # keeps the counts right


def remove_images(member: Member) -> None:
    for image in Image.objects.of(member.pk):
        image.remove()


def hide_images(member: Member) -> None:
    for image in Image.objects.public_files_of(member.pk):
        image.hide()


register(Like, lambda member: Like.objects.filter(user=member.pk), erase=take_back_likes)
register(
    Image,
    lambda member: Image.objects.of(member.pk),
    erase=remove_images,
    hide=hide_images,
    files=lambda image: [image.file.name],
)
