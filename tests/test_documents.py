"""What the documents name exists: every path, every test, every place that a link leads to."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
PLACES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*.md", "core/*/README.md", "payment/*/README.md")
DOCUMENTS = [path for place in PLACES for path in sorted(ROOT.glob(place))]
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {"var"}
# What CONTRIBUTING.md has people write.
EXAMPLES = set(re.findall(r"Write\s+`([^`]+)`:", (ROOT / "CONTRIBUTING.md").read_text()))

FENCED = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
NAMED_IN = re.compile(r"`@?(\w+)` in\s+`([\w/]+\.py)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"(?P<path>[\w.*-]+(?:/[\w.*-]+)*/?)(?:::(?P<name>\w+))?")
SUFFIX = re.compile(r"\.(py|html|md|txt|in|toml|ya?ml|conf|ini|css|js)$")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def missing(text: str, folder: Path = ROOT) -> list[str]:
    """Return what the text of a document in `folder` names and nobody finds."""
    text = FENCED.sub("", text)
    return [span for span in CODE.findall(text) if not exists(span)] + [
        link for link in LINK.findall(text) if not leads_somewhere(link, text, folder)
    ]


def exists(span: str) -> bool:
    """Tell whether a piece of code is no name of ours, or one that exists."""
    found = PATH.fullmatch(span)
    if not found or span in EXAMPLES:
        return True
    path, name = found["path"], found["name"]
    if "/" not in path:
        return not name and (not re.match(r"test_\w+", path) or path.removesuffix(".py") in names_of_tests())
    if path.partition("/")[0] not in FOLDERS and not SUFFIX.search(path):
        return True
    files = list(places(path))
    return bool(files) and (not name or any(defines(file, name) for file in files))


def places(path: str) -> Iterator[Path]:
    """Return where a path may be: in the project, or as a template is named."""
    for folder in (ROOT, ROOT / "templates"):
        yield from folder.glob(path.rstrip("/"))


def defines(file: Path, name: str) -> bool:
    return bool(re.search(rf"^ *(?:async )?(?:def|class) {name}\b", file.read_text(), re.MULTILINE))


@cache
def names_of_tests() -> set[str]:
    """Return every test's name and that of the files they stand in."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("test_*.py")]
    tests = {name for path in files for name in re.findall(r"^ *def (test_\w+)", path.read_text(), re.MULTILINE)}
    return tests | {path.stem for path in files}


def leads_somewhere(link: str, text: str, folder: Path) -> bool:
    if re.match(r"[a-z]+:", link):  # another site
        return True
    path, _, place = link.partition("#")
    target = folder / path
    if path and not target.exists():
        return False
    return not place or place in {anchor(heading) for heading in HEADING.findall(target.read_text() if path else text)}


def anchor(heading: str) -> str:
    """Return what a heading is linked by, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_exists(document):
    assert missing(document.read_text(), document.parent) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_stands_in_a_file_as_a_document_says_stands_there(document):
    named = NAMED_IN.findall(document.read_text())

    assert [(name, file) for name, file in named if not re.search(rf"\b{name}\b", (ROOT / file).read_text())] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "`config/no_such_module.py`",
        "`config/no_such_folder/`",
        "`tests/test_documents.py::test_that_nobody_wrote`",
        "`tests/no_such_file.py::test_what_a_document_names_exists`",
        "`docs/no-such-*.md`",
        "`no/such.py`",
        "`test_that_nobody_wrote`",
        "`test_documents.py::test_what_a_document_names_exists`",
        "[a file](no-such-file.md)",
        "[a place](README.md#no-such-place)",
        "[here](#no-such-place)",
    ],
)
def test_what_does_not_exist_is_noticed(wrong):
    assert len(missing(f"See {wrong}.")) == 1


def test_other_code_is_left_alone():
    text = "`make run`, `models.py`, `text/html`, `/payment/webhook/`, `var/mail`, `<app>/tests/`, `shop:product_list`"

    assert missing(text + "\n```sh\ncat config/no_such_module.py\n```\n") == []


def test_the_changelog_begins_with_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert re.findall(r"^## \[(.+?)\] - ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == version


def test_few_words_are_ours():
    rows = (ROOT / "docs/architecture.md").read_text().partition("## Words of ours")[2]

    assert 0 < len(re.findall(r"^\| \*\*", rows, re.MULTILINE)) <= 20


def test_the_answers_to_the_standard_are_counted_right():
    text = (ROOT / "docs/security.md").read_text()
    rows = re.findall(r"^\| (V[^|]+) \| (\d) \| [^|]+ \| (Holds|Not here|Gap)", text, re.MULTILINE)
    answers = Counter((answer, level) for numbers, level, answer in rows for _ in numbers.split(", "))
    told = re.findall(r"^\| (Holds|Not here|Gap) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)

    assert {
        (answer, level): int(count) for answer, *counts in told for level, count in zip("12", counts, strict=True)
    } == answers
    assert len(re.findall(r"^\| V\d", text, re.MULTILINE)) == len(rows)
    assert sum(answers.values()) == len({number for numbers, *_ in rows for number in numbers.split(", ")}) == 253
