"""Pictures that a moved post shows from elsewhere, brought here."""

import re
from collections.abc import Callable

from django.core.files.storage import default_storage

from blog.models.pictures import FOLDER
from content.pictures import store_picture

REMOTE_PICTURE = re.compile(r"(!\[[^\]]*\]\()(https?://[^\s)]+)((?:\s+\"[^\"]*\")?\))")


class PictureKeeper:
    """
    Copies remote pictures of a Markdown text into the site's media and points the text at the copies.

    `fetch` returns the bytes at an address or raises OSError or ValueError; it decides what may be fetched at all.
    """

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._kept: dict[str, str] = {}

    def keep(self, body: str) -> tuple[str, list[str]]:
        """Return the text with every picture that could be fetched now ours, and a sentence for each that could not."""
        problems: list[str] = []

        def replace(match: re.Match[str]) -> str:
            address = match[2]
            try:
                return f"{match[1]}{self._copy(address)}{match[3]}"
            except (OSError, ValueError) as error:
                problems.append(f"the picture {address} stayed a link: {error}")
                return match[0]

        return REMOTE_PICTURE.sub(replace, body), problems

    def _copy(self, address: str) -> str:
        if address not in self._kept:
            stored = store_picture(self._fetch(address), FOLDER)
            self._kept[address] = default_storage.url(stored.name)
        return self._kept[address]
