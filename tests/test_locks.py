"""A release starts and prints with the very versions its lock file names, not with what came out since."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from django.conf import settings

LOCKS = ["base", "dev", "production"]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def lock(name: str) -> str:
    return Path(settings.BASE_DIR, "requirements", f"{name}.txt").read_text()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_locked_to_one_version_and_to_its_bytes(name):
    blocks = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", lock(name)).strip())

    assert [block for block in blocks if not PINNED.match(block) or "--hash=sha256:" not in block] == []


def test_what_runs_is_what_the_lock_names():  # D1
    everywhere = "\n".join(line for line in lock("base").splitlines() if " ; " not in line)  # not for some Pythons only
    wrong = {name: (pinned, version(name)) for name, pinned in PINNED.findall(everywhere) if version(name) != pinned}

    assert wrong == {}


def test_what_draws_the_invoice_is_locked_as_well():  # D3
    """WeasyPrint was pinned once and pydyf was not: every PDF failed on the day of pydyf's next release."""
    locked = dict(PINNED.findall(lock("base")))

    assert {"weasyprint", "pydyf", "django", "django-taggit"} <= set(locked)
