"""Every command of ours survives what people hand to it by mistake: one clear line, exit code 1, no traceback."""

import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands

from tests import processes

# Handed to a command by mistake. A new command needs a row, if only to say that it takes nothing that could be wrong.
MISTAKES = {
    "audit_books": [],
    "backup": [["{folder}/no/such/folder/x.zip"], ["{empty}"], ["{folder}", "--keep", "0"], ["/proc/x.zip"]],
    "check_files": [],
    "check_sweeps": [],
    "demo": [["--posts", "many"]],
    "export_posts": [["{empty}"], ["/proc/x"]],
    "import_posts": [
        ["{folder}/nothing"],
        ["{empty_folder}"],
        ["{empty}.xml"],
        ["{garbage}.xml"],
        ["{empty}.json"],
        ["{garbage}.json"],
        ["{garbage}.docx"],
        ["{empty_folder}", "--author", "nobody"],
    ],
    "rebuild_category_counts": [],
    "rebuild_posts": [],
    "rebuild_recommendations": [],
    "reindex": [],
    "remove_second_factor": [["nobody"], [""]],
    "reseal": [],
    "restore": [["{folder}/nothing.zip"], ["{empty}"], ["{garbage}"], ["{folder}"]],
    "send_test_mail": [["nobody"], [""], ["a@b.example\nBcc: c@d.example"], ["x" * 10_000 + "@example.com"]],
    "stripe_simulator": [["--port", "0", "--state", "{garbage}"]],
    "tick": [],
}
MISTAKEN = [(command, arguments) for command, rows in MISTAKES.items() for arguments in rows]


@pytest.fixture
def places(tmp_path):
    garbage = b"<rss>\xff\xfe" + bytes(range(256)) * 8_000  # two megabytes of nothing
    for name, content in (("empty", b""), ("garbage", garbage)):
        for suffix in ("", ".xml", ".json", ".docx"):
            (tmp_path / f"{name}{suffix}").write_bytes(content)
    (tmp_path / "empty_folder").mkdir()
    names = ("empty", "garbage", "empty_folder")
    return {"folder": tmp_path, **{name: tmp_path / name for name in names}}


def ours() -> set[str]:
    root = Path(processes.ROOT)
    names = {config.name for config in apps.get_app_configs() if Path(config.path).parent == root}
    return {command for command, app in get_commands().items() if app in names}


def test_every_command_is_asked():
    assert ours() == set(MISTAKES)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("command", "arguments"), MISTAKEN, ids=lambda value: str(value)[:40])
def test_a_mistake_is_answered_in_a_sentence(command, arguments, places, capsys, monkeypatch):
    import manage

    given = [argument.format(**places) if "{" in argument else argument for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["manage.py", command, *given])

    with pytest.raises(SystemExit) as end:
        manage.main()

    said = capsys.readouterr().err or str(end.value.code)
    assert end.value.code not in (0, None)
    assert "Traceback" not in said
    assert 10 < len(said.strip()) < 1000


@pytest.mark.django_db
def test_a_database_that_is_away_is_said_in_a_sentence():
    done = processes.run("audit_books", DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")

    assert done.returncode == 1
    assert "refused" in done.stderr
    assert "Traceback" not in done.stderr
