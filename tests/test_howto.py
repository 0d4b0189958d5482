"""
Whoever follows CONTRIBUTING.md to the letter is done.

The lists "To add a …" are read out of the document and followed in a copy of the project. A step names its file and place
in one of the ways of WAYS; the test follows no more than is written there.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection

from tests.copies import ROOT, Copy

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="the copies have a database of their own")

DOCUMENT = (ROOT / "CONTRIBUTING.md").read_text()
HOWTOS = re.findall(r"^## (To add an? \w+)$", DOCUMENT, re.MULTILINE)
STEP = re.compile(r"^\d+\. (.*?)(?=^\d+\. |^\S|\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^( +)```\w+\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
# What is asked of the result by somebody who has not read the lists.
CHECKED_BY = "tests/howto_result.py"
# What no step may break, and what finds a new page, setting or mail by itself.
HELD_BY = [
    "tests/test_conventions.py",
    "tests/test_limits.py",
    "tests/test_migrations.py",
    "tests/test_every_address.py::EveryAddressTests::test_no_page_starts_a_session_or_asks_for_one",
]


@dataclass(frozen=True)
class Step:
    text: str
    block: str

    @property
    def written(self) -> str:
        """The file that it makes, if it makes one."""
        found = re.search(r"Write `([^`]+)`:$", self.text)
        return found[1] if found else ""


def steps(howto: str) -> list[Step]:
    section = DOCUMENT.partition(f"## {howto}\n")[2].partition("\n## ")[0]
    return [step_of(text) for text in STEP.findall(section)]


def step_of(text: str) -> Step:
    blocks = [without_indent(code, indent) for indent, code in BLOCK.findall(text)]
    assert len(blocks) < 2, text
    return Step(" ".join(BLOCK.sub("", text).split()), "".join(blocks))


def without_indent(code: str, indent: str) -> str:
    """Take off what the list has put in front of each line, and leave what belongs to the code."""
    return re.sub(f"^{indent}", "", code, flags=re.MULTILINE)


def follow(copy: Copy, step: Step) -> None:
    """Do what the step says."""
    for way, act in WAYS.items():
        if found := re.search(way, step.text):
            act(copy, step.block, *found.groups())
            return
    raise AssertionError(f"Nobody can follow this: {step.text}")


def below(copy: Copy, block: str, file: str, line: str) -> None:
    insert(copy, file, line, lambda found: f"{found}{block}")


def above(copy: Copy, block: str, file: str, line: str) -> None:
    insert(copy, file, line, lambda found: f"{block}{found}")


def insert(copy: Copy, file: str, line: str, put: Callable[[str], str]) -> None:
    lines = (copy.root / file).read_text().splitlines(keepends=True)
    found = [each for each in lines if each.strip() == line]
    assert len(found) == 1, f"{file} has {len(found)} times: {line}"
    (copy.root / file).write_text("".join(put(each) if each is found[0] else each for each in lines))


def at_the_end(copy: Copy, block: str, file: str) -> None:
    (copy.root / file).write_text((copy.root / file).read_text() + block)


def write(copy: Copy, block: str, file: str) -> None:
    assert not (copy.root / file).exists(), file
    (copy.root / file).write_text(block)


def change(copy: Copy, _block: str, file: str, old: str, new: str) -> None:
    copy.change(file, old, new)


def run(copy: Copy, block: str) -> None:
    for command in block.splitlines():
        words = [word for word in shlex.split(command) if word != "DEBUG=true"]  # as every command in a copy is run
        done = copy.run(words[0].removeprefix(".venv/bin/"), *words[1:])
        assert done.returncode == 0, done.stdout


def is_there(copy: Copy, _block: str, file: str, name: str) -> None:
    assert f"def {name}(" in (copy.root / file).read_text()


WAYS: dict[str, Callable[..., None]] = {
    r"In `([^`]+)`, below `([^`]+)`:$": below,
    r"In `([^`]+)`, above `([^`]+)`:$": above,
    r"In `([^`]+)`, change `([^`]+)` to `([^`]+)`\.$": change,
    r"At the end of `([^`]+)`:$": at_the_end,
    r"Write `([^`]+)`:$": write,
    r"The migration:$": run,
    r"This one leaves in `([^`:]+)::(\w+)`\.$": is_there,
}


def written_tests(howto: str) -> list[str]:
    return [step.written for step in steps(howto) if "/tests/" in step.written]


def test_there_is_a_list_for_each_of_the_four():
    assert HOWTOS == ["To add a page", "To add a field", "To add a setting", "To add a mail"]


def test_who_follows_the_lists_is_done(tmp_path):
    copy = Copy(tmp_path)
    for howto in HOWTOS:
        for step in steps(howto):
            follow(copy, step)

    for command in ["ruff check --fix-only --quiet .", "ruff format --quiet ."]:  # make format
        assert copy.run(*command.split()).returncode == 0
    for command in ["ruff check .", "lint-imports --no-logo", "djlint --lint --quiet templates"]:  # of make check
        done = copy.run(*command.split())
        assert done.returncode == 0, done.stdout
    written = [test for howto in HOWTOS for test in written_tests(howto)]
    done = copy.test(*written, CHECKED_BY, *HELD_BY)
    assert done.returncode == 0, done.stdout


# Of each list one step, found by what it says; without it the tests that the list tells to write must fail.
TWINS = {
    "To add a page": "The address",
    "To add a field": "The page",
    "To add a setting": "The value",
    "To add a mail": "above `return new_recovery_codes(user)`",
}


def test_who_leaves_out_a_step_is_told(tmp_path):
    copy = Copy(tmp_path)
    for howto, words in TWINS.items():
        left_out = [step for step in steps(howto) if words in step.text]
        assert len(left_out) == 1, words
        for step in steps(howto):
            if step not in left_out:
                follow(copy, step)

    done = copy.test(*(test for howto in HOWTOS for test in written_tests(howto)))

    for howto in HOWTOS:
        for test in written_tests(howto):
            assert re.search(f"^FAILED {test}", done.stdout, re.MULTILINE), f"{howto}: {done.stdout}"


def test_a_step_that_nobody_can_follow_is_noticed(tmp_path):
    copy = Copy(tmp_path)

    with pytest.raises(AssertionError, match="Nobody can follow"):
        follow(copy, Step("Somewhere in the shop, add a method:", "x = 1\n"))
    with pytest.raises(AssertionError, match="has 0 times"):
        follow(copy, Step("In `shop/urls.py`, below `no such line`:", "x = 1\n"))
    with pytest.raises(AssertionError, match="has 0 times"):
        follow(copy, Step("In `shop/urls.py`, change `no such words` to `others`.", ""))
