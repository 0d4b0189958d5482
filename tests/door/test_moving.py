"""Posts come from elsewhere and go elsewhere, and the whole site moves into another database, by its commands."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from .person import Person
from .site import Site
from .staff import Staff

POST = """---
title: Our old workshop
date: 2019-05-04
tags: [moving]
---
It had *north light*.
"""


def test_a_folder_is_imported_and_exported_again(site: Site, staff: Staff, newcomer: Callable[[str], Person], tmp_path):
    here, there = tmp_path / "in", tmp_path / "out"
    here.mkdir()
    (here / "2019-05-04-old-workshop.md").write_text(POST)

    planned = site.runs("import_posts", str(here), "--author", "editor", "--dry-run")
    reader = newcomer("reader-of-old-posts")
    reader.opens("/blog/")
    reader.misses("Our old workshop")
    site.runs("import_posts", str(here), "--author", "editor")

    assert "1 posts and 0 comments would be imported" in planned
    reader.waits_to_see("/blog/2019/5/", "Our old workshop")
    reader.clicks("Our old workshop")
    reader.sees("It had north light.")
    assert site.rows("SELECT count(*) FROM blog_post WHERE title = ?", "Our old workshop") == [(1,)]
    site.runs("export_posts", str(there))
    assert any("It had *north light*." in path.read_text() for path in there.rglob("*.md"))


def test_a_broken_import_ends_in_one_sentence(site: Site, tmp_path: Path):
    broken = tmp_path / "export.json"
    broken.write_text("{")

    ended = site.run("import_posts", str(broken), "--author", "editor")

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_backup_made_while_the_site_runs_is_restored_into_another_database(site: Site, staff: Staff, tmp_path: Path):
    archive, elsewhere = tmp_path / "site.zip", tmp_path / "elsewhere"
    site.runs("backup", str(archive))
    other = {"VAR_DIR": str(elsewhere), "DATABASE_URL": "", "REDIS_URL": "", "CELERY_BROKER_URL": ""}

    site.runs("restore", str(archive), **other)

    with closing(sqlite3.connect(elsewhere / "db.sqlite3")) as database:
        restored = database.execute("SELECT id, username FROM account_user ORDER BY id").fetchall()
        assert restored == site.rows("SELECT id, username FROM account_user ORDER BY id")
        restored = database.execute("SELECT id, slug FROM shop_product ORDER BY id").fetchall()
        assert restored == site.rows("SELECT id, slug FROM shop_product ORDER BY id")


def test_a_test_mail_leaves(site: Site):
    site.runs("send_test_mail", "operator@people.example")

    site.letters.wait_for("operator@people.example", "A test mail from")


def test_the_books_are_in_order(site: Site, staff: Staff):
    site.runs("audit_books")
