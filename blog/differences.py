"""How two texts of a post differ, line by line, for people to read."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from .models import Post, Revision

CONTEXT = 3


class Difference(NamedTuple):
    """Lines of one kind: "gone" stand only in the revision, "new" only in today's text, "same" in both, "cut" is left out."""

    kind: str
    lines: list[str]


def differences(revision: Revision, post: Post) -> dict[str, list[Difference]]:
    """Return, for each field that differs, what is only in the revision ("gone") and only in the post ("new")."""
    now = {
        "title": post.title,
        "excerpt": post.excerpt,
        "tags": ", ".join(tag["name"] for tag in post.tag_list),
        "body": post.body,
    }
    then = {**{name: getattr(revision, name) for name in now}, "tags": ", ".join(revision.tags)}
    return {name: list(compare(then[name], now[name])) for name in now if then[name] != now[name]}


def compare(before: str, after: str) -> Iterator[Difference]:
    old, new = before.splitlines(), after.splitlines()
    for operation, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if operation == "equal":
            yield from _shortened(old[a:b])
            continue
        if a != b:
            yield Difference("gone", old[a:b])
        if c != d:
            yield Difference("new", new[c:d])


def _shortened(lines: list[str]) -> Iterator[Difference]:
    if len(lines) <= 2 * CONTEXT + 1:
        yield Difference("same", lines)
        return
    yield Difference("same", lines[:CONTEXT])
    yield Difference("cut", [])
    yield Difference("same", lines[-CONTEXT:])
