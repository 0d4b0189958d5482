"""
Read a folder of Markdown files with front matter, as Jekyll, Hugo and Pelican keep them.

YAML stands between `---` lines, TOML between `+++` lines, JSON between braces, Pelican's fields stand bare at the top.
Each system has its own names for the same thing; the first one present is taken.
"""

import json
import re
import tomllib
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import slugify

from .records import Person, PostRecord, Records, Skipped, Unreadable, attempt

MAX_BYTES = 2_000_000
SUFFIXES = {".md", ".markdown", ".mdown", ".mkd"}
PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg"}
IGNORED_NAMES = {"_index.md", "readme.md"}  # Hugo's section pages; notes to the folder's owner
DATED_NAME = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})-(.+)")
FENCED = re.compile(r"\A\ufeff?(---|\+\+\+)[ \t]*\r?\n(.*?)^\1[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
JSON_FENCE = re.compile(r"\ufeff?\{(?![{%])")
PELICAN_LINE = re.compile(r"([A-Za-z][A-Za-z_ -]*):[ \t]*(.*)")
SIMPLE = (str, int, float, date)  # what YAML makes of a word: 2024 and 2024-05-01 are words too
DATE_FORMATS = ["%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M %z", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y"]


def read_folder(root: Path) -> Records:
    """Yield a record for every Markdown file below `root`, in the order of their paths, and name what is left out."""
    for path in list_files(root):
        key = path.relative_to(root).as_posix()
        if path.suffix.lower() in PICTURES:
            continue  # they belong to the posts that show them
        if path.suffix.lower() not in SUFFIXES:
            yield Skipped(key, "not a Markdown file")
        elif path.name.lower() in IGNORED_NAMES:
            yield Skipped(key, "a section page or a readme, not a post")
        else:
            yield attempt(key, partial(read_file, path, root))


def list_files(root: Path) -> list[Path]:
    """Return the files below `root` in order; hidden ones and links that lead out of it are not looked at."""
    return [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
        and path.resolve().is_relative_to(root.resolve())
    ]


def read_file(path: Path, root: Path) -> PostRecord:
    """Return the file as a record, or raise Unreadable."""
    fields, body = split(_text(path))
    fields = {str(name).strip().lower(): value for name, value in fields.items()}
    dated = DATED_NAME.fullmatch(_stem(path))
    title = _words(fields, "title")
    if not title:
        raise Unreadable("it has no title")
    written = _first(fields, "publish_at", "publishdate", "date", "published_at", "created") or (dated and dated[1])
    stem = dated[2] if dated else _stem(path)
    return PostRecord(
        key=_words(fields, "source_key") or f"folder:{path.relative_to(root).as_posix()}",
        title=title,
        body=body.strip(),
        slug=slugify(_words(fields, "slug") or stem, allow_unicode=True),
        publish_at=as_datetime(written) if written else None,
        is_draft=_is_draft(fields, path, root),
        author=_author(fields),
        tags=_tags(fields),
        excerpt=_words(fields, "excerpt", "summary", "description"),
        cover=_cover(fields, path, root),
        cover_alt=_words(fields, "cover_alt", "image_alt"),
    )


def split(text: str) -> tuple[dict[str, Any], str]:
    """Return the front matter and what follows it, or raise Unreadable."""
    if JSON_FENCE.match(text):
        return _split_json(text.lstrip("\ufeff"))
    fenced = FENCED.match(text)
    if not fenced:
        return _split_pelican(text)
    fence, inside = fenced[1], fenced[2]
    try:
        fields = yaml.safe_load(inside) if fence == "---" else tomllib.loads(inside)
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 2}" if error.problem_mark else ""
        raise Unreadable(f"its front matter is broken{where}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(f"its front matter is broken: {' '.join(str(error).split())[:200]}") from error
    return _of_fields(fields), text[fenced.end() :]


def _split_json(text: str) -> tuple[dict[str, Any], str]:
    """Take Hugo's third kind of front matter: one JSON object, and the text behind it."""
    try:
        fields, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"its front matter is broken in line {error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise Unreadable("its front matter is nested too deeply") from error
    return _of_fields(fields), text[end:]


def _of_fields(fields: Any) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise Unreadable("its front matter is not a list of fields")
    return fields


def _split_pelican(text: str) -> tuple[dict[str, Any], str]:
    fields: dict[str, Any] = {}
    lines = text.lstrip("\ufeff").splitlines(keepends=True)
    for number, line in enumerate(lines):
        found = PELICAN_LINE.fullmatch(line.strip())
        if not found:
            if fields and not line.strip():
                return fields, "".join(lines[number:])
            break
        fields[found[1]] = found[2]
    raise Unreadable("it has no front matter")


def as_datetime(value: object) -> datetime:
    """Return an aware datetime; a value without a zone is in the site's. Raises Unreadable."""
    if isinstance(value, list | dict):
        raise Unreadable("its date is a list, not a date")
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    moment = value if isinstance(value, datetime) else _parse(str(value).strip())
    try:
        moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
        moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"its date {value!s:.40} does not exist") from error
    return moment


def _parse(text: str) -> datetime:
    try:
        if moment := parse_datetime(text) or datetime.fromisoformat(text):
            return moment
    except ValueError:
        pass
    for layout in DATE_FORMATS:
        try:
            return datetime.strptime(text, layout)  # noqa: DTZ007 - as_datetime adds the zone
        except ValueError:
            continue
    raise Unreadable(f"its date “{text[:40]}” is not understood")


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(f"it is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        with path.open(encoding="utf-8", newline="") as file:  # a body keeps the line ends it was written with
            text = file.read()
    except UnicodeDecodeError as error:
        raise Unreadable("it is not UTF-8 text") from error
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error
    if "\0" in text:
        raise Unreadable("it is not text")
    return text


def _stem(path: Path) -> str:
    """Return the file's name as a slug; a Hugo bundle (`my-post/index.md`) is named by its folder."""
    return path.parent.name if path.stem == "index" else path.stem


def _first(fields: dict[str, Any], *names: str) -> Any:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _words(fields: dict[str, Any], *names: str) -> str:
    """Return the text of the first field present; raises Unreadable for a list or another structure."""
    value = _first(fields, *names)
    if isinstance(value, list | dict | set):
        raise Unreadable(f"its {names[0]} is a list, not text")
    return "" if value is None else str(value).strip()


def _is_draft(fields: dict[str, Any], path: Path, root: Path) -> bool:
    if "_drafts" in path.relative_to(root).parts:
        return True
    if str(fields.get("published", "")).lower() == "false":
        return True
    return str(fields.get("draft", "")).lower() == "true" or str(fields.get("status", "")).lower() in (
        "draft",
        "hidden",
    )


def _author(fields: dict[str, Any]) -> Person | None:
    value = _first(fields, "author", "authors")
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        name, email = _words(value, "name"), _words(value, "email")
        return Person(name or email, email, name) if name or email else None
    return Person(str(value).strip(), name=str(value).strip()) if value else None


def _tags(fields: dict[str, Any]) -> list[str]:
    names: list[str] = []
    for key in ("tags", "categories", "category", "keywords"):
        value = fields.get(key) or []
        if isinstance(value, str):  # Jekyll separates words by spaces, everyone else by commas
            value = value.split(",") if "," in value or key in ("category", "keywords") else value.split()
        names += [str(name).strip() for name in value if isinstance(name, SIMPLE)] if isinstance(value, list) else []
    return list(dict.fromkeys(name for name in names if name))


def _cover(fields: dict[str, Any], path: Path, root: Path) -> Path | None:
    """Return the cover's file when the front matter names one inside the folder; a web address is not fetched."""
    value = _first(fields, "cover", "image", "featured_image")
    if isinstance(value, dict):  # Hugo themes: cover: {image: ..., alt: ...}
        value = value.get("image")
    if not isinstance(value, str) or "://" in value:
        return None
    for base in (path.parent, root):
        candidate = (base / value.lstrip("/")).resolve()
        if candidate.is_relative_to(root.resolve()) and candidate.is_file():
            return candidate
    return None
