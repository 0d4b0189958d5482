"""
Markdown that staff write (posts, product descriptions) turned into clean HTML: once, on save.

Python-Markdown is quadratic on hostile input (8,000 `[` took 12 s), so the work is done by a child (content/child.py)
that the kernel ends after two seconds of its own processor time. What it does there stands in content/tohtml.py.
"""

import json
import re
from pathlib import Path

from .child import Child, Ended

MAX_LENGTH = 100_000
CPU_SECONDS = 2.0
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class Refused(ValueError):
    """The text is too long, or takes too long to render."""


class TooLong(Refused):
    pass


class TooSlow(Refused):
    pass


def render(source: str, *, own_places: tuple[str, ...] = ()) -> str:
    """
    Return clean HTML, safe to show to anybody; raise Refused for a text that is too long or too slow.

    A picture is shown when its address is relative or begins with one of `own_places`; any other becomes a link to it,
    because loading it would tell a stranger's server who reads what (and our Content-Security-Policy forbids it).
    """
    if len(source) > MAX_LENGTH:
        raise TooLong(f"{len(source)} characters, {MAX_LENGTH} are allowed")
    if not source.strip():
        return ""
    question = json.dumps([_storable(source), own_places])
    try:
        return _child.ask(question.encode()).decode()
    except Ended as error:
        raise TooSlow(f"not rendered within {CPU_SECONDS:g} s") from error


def _storable(text: str) -> str:
    """Drop what no database stores, no browser shows and no feed may hold: control characters and lone surrogates."""
    return CONTROL.sub("", text).encode("utf-8", "ignore").decode()


# By its path, not imported: this process has no use for the libraries of the other.
_child = Child(str(Path(__file__).with_name("tohtml.py")), cpu_seconds=CPU_SECONDS, memory_bytes=1_000_000_000)
