"""Posts come from elsewhere and go elsewhere, and the whole site moves into another database, by its commands."""

import json
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


def test_an_import_says_of_each_post_what_became_of_it(
    site: Site, staff: Staff, newcomer: Callable[[str], Person], tmp_path
):
    hugo, ghost = tmp_path / "hugo", tmp_path / "ghost.json"
    hugo.mkdir()
    (hugo / "paste.md").write_text('{"title": "Flour paste", "date": "2018-03-02"}\n\nStir. {{< figure src="a.png" >}}')
    (hugo / "torn.md").write_text('{"title": "Torn", \n"date": }\n\nStir.')
    rows = [7, {"id": 1, "title": "Glue", "slug": ["x"], "html": {"a": 1}}]
    rows += [
        {"id": 2, "title": "Bone glue", "html": "<p>Warm it.</p>", "status": "published", "published_at": "2018-04-02"}
    ]
    ghost.write_text(json.dumps({"db": [{"data": {"posts": rows, "users": [{"name": None}]}}]}))

    told = [site.runs("import_posts", str(source), "--author", "editor") for source in (hugo, ghost)]

    assert "paste.md: readers will see {{< figure >}} as text" in told[0]
    assert "torn.md: its front matter is broken in line 2" in told[0]
    assert "post 1: it is not as Ghost writes a post" in told[1]
    assert "Glue: its text is not text" in told[1]
    assert not any(word in "".join(told) for word in ("Error", "NoneType", "instance"))
    reader = newcomer("reader-of-glue")
    reader.waits_to_see("/blog/2018/3/", "Flour paste")
    reader.waits_to_see("/blog/2018/4/", "Bone glue")


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
