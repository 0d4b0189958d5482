"""
Markdown that staff write (posts, product descriptions) turned into clean HTML: once, on save.

Python-Markdown is quadratic on hostile input (8,000 `[` took 12 s) and a thread cannot be stopped, so the work is done
by a small child process that the kernel ends after two seconds of its own processor time. The child is started when
first needed, serves one text after the other, and leaves when it has had nothing to do for a minute. This file is both
sides: imported here, and run as a script by `_Child`, without Django.
"""

import atexit
import contextlib
import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import threading
from typing import Any

MAX_LENGTH = 100_000
CPU_SECONDS = 2.0
WALL_SECONDS = 20.0
IDLE_SECONDS = 60.0
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
C0_AND_SPACE = "".join(map(chr, range(0x21)))
MEMORY_BYTES = 1_000_000_000


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
    return _child.ask({"source": _storable(source), "own_places": own_places})


def _storable(text: str) -> str:
    """Drop what no database stores, no browser shows and no feed may hold: control characters and lone surrogates."""
    return CONTROL.sub("", text).encode("utf-8", "ignore").decode()


class _Child:
    """The rendering process; one question at a time, restarted after it was ended or has left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        atexit.register(self.close)

    def ask(self, question: dict[str, Any]) -> str:
        with self._lock:
            for _attempt in range(2):  # the second when the first child left for having been idle
                process = self._running()
                answer = self._exchange(process, json.dumps(question) + "\n")
                if answer.endswith("\n"):
                    return str(json.loads(answer))
                self._close()
                if process.returncode in (-signal.SIGPROF, -signal.SIGKILL, 1):
                    raise TooSlow(f"not rendered within {CPU_SECONDS:g} s")
        raise RuntimeError(f"The Markdown process ended with status {process.returncode}")

    def close(self) -> None:
        with self._lock:
            self._close()

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self._close()
            # -I: this folder is not put on the import path, where this file would hide the library it imports.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self._process

    @staticmethod
    def _exchange(process: "subprocess.Popen[str]", line: str) -> str:
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        watchdog = threading.Timer(WALL_SECONDS, process.kill)
        watchdog.start()
        try:
            process.stdin.write(line)
            process.stdin.flush()
            return process.stdout.readline()
        except BrokenPipeError:
            return ""
        finally:
            watchdog.cancel()

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]
        try:
            process.wait(timeout=WALL_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


_child = _Child()
# A forked worker must not share its parent's child: two askers on one pipe would get each other's answers.
os.register_at_fork(after_in_child=lambda: globals().update(_child=_Child()))


# --- The child's side ----------------------------------------------------------------------------------------------

TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "details", "div", "dl", "dt", "em"),
    *("figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol"),
    *(
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
    ),
    *("th", "thead", "tr", "u", "ul", "var"),
}
ATTRIBUTES = {
    "a": {"href", "title", "class"},
    "abbr": {"title"},
    "code": {"class"},
    "div": {"class"},
    "img": {"src", "alt", "title", "width", "height"},
    "li": {"id"},
    "ol": {"start"},
    "span": {"class"},
    "sup": {"id"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
ALIGNMENTS = {"left", "right", "center"}
URL_SCHEMES = {"http", "https", "mailto"}
CLASSES = {"highlight", "footnote", "footnote-ref", "footnote-backref"}
# Ids that a text brings along live in a room of their own: "main" in a heading must not answer to the page's #main.
ID_PREFIX = "t-"
# What nh3 writes is regular: lower-case names, double quotes around every value.
IMAGE = re.compile(r'<img\b(?:[^>"]|"[^"]*")*>')
ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')


def serve() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent; we leave when its pipe closes
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0] and (line := sys.stdin.readline()):
        question = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # unhandled, SIGPROF ends the process
        html = convert(question["source"], tuple(question["own_places"]))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps(html) + "\n")
        sys.stdout.flush()


def convert(source: str, own_places: tuple[str, ...]) -> str:
    from markdown import Markdown
    from markdown.extensions.toc import slugify_unicode

    writer = Markdown(
        extensions=["abbr", "codehilite", "def_list", "fenced_code", "footnotes", "sane_lists", "tables", "toc"],
        extension_configs={
            "codehilite": {"css_class": "highlight", "guess_lang": False},
            "tables": {"use_align_attribute": True},
            "toc": {"slugify": slugify_unicode, "marker": ""},
        },
    )
    html = clean(writer.convert(source))
    html = IMAGE.sub(lambda match: _image(match, own_places), html)
    if "<h1" in html:  # the page has its h1 already: everything goes one down
        html = re.sub(r"(</?h)([1-5])\b", lambda match: f"{match[1]}{int(match[2]) + 1}", html)
    return html


def clean(html: str) -> str:
    import nh3
    from pygments.token import STANDARD_TYPES

    code_classes = set(STANDARD_TYPES.values()) - {""}

    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return ID_PREFIX + value
        if name == "href" and value.startswith("#") and len(value) > 1:
            return "#" + ID_PREFIX + value[1:]
        if name == "class":
            allowed = code_classes if tag == "span" else CLASSES
            return " ".join(word for word in value.split() if word in allowed) or None
        return value

    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=keep,
        set_tag_attribute_values={"pre": {"tabindex": "0"}},  # a wide one scrolls, by keyboard too
        tag_attribute_values={"td": {"align": ALIGNMENTS}, "th": {"align": ALIGNMENTS}},
        url_schemes=URL_SCHEMES,
        link_rel="noopener",
    )


def _image(match: re.Match[str], own_places: tuple[str, ...]) -> str:
    tag = match[0]
    attributes = dict(ATTRIBUTE.findall(tag))
    source = as_browsers_read(attributes.get("src", ""))
    alt = attributes.get("alt", "")
    is_own = not re.match(r"[a-z][a-z0-9+.-]*:|[/\\]{2}", source, re.IGNORECASE) or source.startswith(own_places)
    if not source:
        return alt
    is_in_link = match.string.rfind("<a ", 0, match.start()) > match.string.rfind("</a>", 0, match.start())
    if not is_own and is_in_link:
        return alt or source
    if not is_own:
        return f'<a href="{source}" rel="noopener nofollow">{alt or source}</a>'
    tag = tag.replace(f'src="{attributes["src"]}"', f'src="{source}"')
    return tag[:-1] + ("" if "alt" in attributes else ' alt=""') + ' loading="lazy">'


def as_browsers_read(address: str) -> str:
    """Leave out what an address parser leaves out before it looks: https://url.spec.whatwg.org/#concept-basic-url-parser."""
    return re.sub(r"[\t\n\r]", "", address.strip(C0_AND_SPACE))


if __name__ == "__main__":
    serve()
