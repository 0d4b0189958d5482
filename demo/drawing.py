"""Draw everything before a row is written: several pictures at once, since the encoders work outside Python's lock."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from content.pictures import StoredPicture, store_picture

from . import goods
from .catalogue import Item
from .motifs import MOTIFS
from .people import Person, portrait
from .pinboard import Saved
from .sheet import Sheet

Drawings = dict[str, StoredPicture]
Job = tuple[str, str, Callable[[], bytes]]


def face(person: Person, number: int) -> Job:
    return f"person {person.username}", "people", lambda: portrait(person, number + 5)


def saved(picture: Saved, number: int) -> Job:
    return f"picture {picture.title}", "images", lambda: scene(picture.motif, picture.palette, picture.ratio, number)


def good(item: Item, number: int) -> Job:
    return f"product {item.name}", "products", lambda: goods.draw(item.form, item.motif, item.palette, number + 20)


def cover(title: str, what: str, number: int) -> Job:
    motif, palette = what.split()
    return f"cover {title}", "posts", lambda: scene(motif, palette, 0.6, number + 200)


def figure(title: str, what: str) -> Job:
    motif, palette = what.split()
    return f"figure {title} {what}", "posts", lambda: scene(motif, palette, 0.5, len(title) + 300)


def scene(motif: str, palette: str, ratio: float, seed: int) -> bytes:
    sheet = Sheet(ratio, palette, seed, width=800 if ratio < 0.7 else 640)
    MOTIFS[motif](sheet)
    return sheet.finish()


def draw(jobs: list[Job]) -> Iterator[tuple[str, StoredPicture]]:
    """Yield each picture as soon as it and its thumbnails are stored."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(_store, make, folder): key for key, folder, make in jobs}
        for done in as_completed(running):
            yield running[done], done.result()


def _store(make: Callable[[], bytes], folder: str) -> StoredPicture:
    return store_picture(make(), folder)
