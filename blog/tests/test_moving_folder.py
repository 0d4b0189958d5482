import re
from datetime import UTC, date, datetime

import pytest

from blog.moving.folder import Unreadable, as_datetime, read_folder, split
from blog.moving.records import PostRecord, Skipped

JEKYLL = """---
layout: post
title:  "Paper, and how to fold it"
date:   2024-05-01 09:30:00 +0200
tags: paper craft
categories: [Workshop]
author: Ada Lind
---
Fold *once*.
"""
HUGO = """+++
title = "Ink"
date = 2023-11-02T10:00:00Z
draft = true
tags = ["ink", "日本語"]
slug = "about-ink"
summary = "What ink is made of."
+++

Soot and oil.
"""
HUGO_JSON = """{
  "title": "Paste",
  "date": "2023-11-02T10:00:00Z",
  "draft": false,
  "tags": ["paste", "flour"],
  "params": {"note": "with } in it"}
}

Flour and {water}.
"""
PELICAN = """Title: Press day
Date: 2022-01-03 10:20
Category: Workshop
Tags: press, letterpress
Slug: press-day
Status: published
Author: ada

We printed.
"""


def read_one(tmp_path, text, name="post.md"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    (record,) = read_folder(tmp_path)
    return record


def test_jekylls_names_are_understood(tmp_path):
    post = read_one(tmp_path, JEKYLL, "_posts/2024-05-01-paper.md")

    assert isinstance(post, PostRecord)
    assert (post.title, post.slug, post.is_draft) == ("Paper, and how to fold it", "paper", False)
    assert post.publish_at == datetime(2024, 5, 1, 7, 30, tzinfo=UTC)
    assert post.tags == ["paper", "craft", "Workshop"]
    assert post.author.name == "Ada Lind"
    assert post.body == "Fold *once*."


def test_jekylls_file_name_gives_the_date_that_the_front_matter_leaves_out(tmp_path):
    post = read_one(tmp_path, "---\ntitle: Paper\n---\nx", "2024-05-01-paper.md")

    assert post.publish_at.date() == date(2024, 5, 1)


@pytest.mark.parametrize(
    ("name", "extra"),
    [("_drafts/idea.md", ""), ("a.md", "published: false"), ("a.md", "draft: true"), ("a.md", "status: draft")],
)
def test_every_way_to_say_draft_is_understood(tmp_path, name, extra):
    assert read_one(tmp_path, f"---\ntitle: Idea\n{extra}\n---\nx", name).is_draft


def test_hugos_toml_is_understood(tmp_path):
    post = read_one(tmp_path, HUGO)

    assert (post.title, post.slug, post.is_draft) == ("Ink", "about-ink", True)
    assert post.tags == ["ink", "日本語"]
    assert post.excerpt == "What ink is made of."


def test_hugos_json_is_understood(tmp_path):
    post = read_one(tmp_path, HUGO_JSON)

    assert (post.title, post.is_draft, post.tags) == ("Paste", False, ["paste", "flour"])
    assert post.publish_at == datetime(2023, 11, 2, 10, tzinfo=UTC)
    assert post.body == "Flour and {water}."


def test_a_shortcode_at_the_top_is_no_front_matter(tmp_path):
    for text in ("{{< figure src=a.png >}}\n", "{% include a %}\n"):
        assert read_one(tmp_path, text).reason == "it has no front matter"


@pytest.mark.parametrize("field", ["title", "slug", "excerpt", "cover", "cover_alt", "tags", "date", "author", "draft"])
def test_a_field_of_another_shape_never_ends_the_import(tmp_path, field):
    for value in ["5", "2024-05-01", "true", "[]", "[null]", "[{a: 1}]", "{a: {b: 1}}", "{name: null}", "0001-01-01"]:
        fields = "".join(f"{name}: {text}\n" for name, text in {"title": "A", field: value}.items())
        record = read_one(tmp_path, f"---\n{fields}---\nx")

        told = record.reason if isinstance(record, Skipped) else f"{record.title} {record.tags} {record.author}"
        assert not re.search(r"\{'|\['a|None,|could not be understood|Error", told), (value, told)


def test_a_hugo_bundle_is_named_by_its_folder(tmp_path):
    assert read_one(tmp_path, "---\ntitle: Ink\n---\nx", "about-ink/index.md").slug == "about-ink"


def test_pelicans_bare_fields_are_understood(tmp_path):
    post = read_one(tmp_path, PELICAN)

    assert (post.title, post.slug, post.author.login) == ("Press day", "press-day", "ada")
    assert post.tags == ["press", "letterpress", "Workshop"]
    assert post.body == "We printed."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("No front matter at all", "no front matter"),
        ("---\ntitle: [unclosed\n---\nx", "broken"),
        ("+++\ntitle = \n+++\nx", "broken"),
        ("---\n- a\n- b\n---\nx", "not a list of fields"),
        ('{"title": "A",\n"draft": }\nx', "broken in line 2"),
        ('{"title": "A"', "broken in line 1"),
        ("---\ntitle: A\nx: [1\n---\nx", "broken in line 4"),
        ("---\ntitle: [A]\n---\nx", "its title is a list, not text"),
        ("---\ndate: 2024-01-01\n---\nx", "no title"),
        ("---\ntitle: A\ndate: soon\n---\nx", "not understood"),
        ("---\ntitle: A\ndate: '2024-02-30'\n---\nx", "2024-02-30"),
        ("---\ntitle: A\ndate: 2024-02-30\n---\nx", "broken"),
    ],
)
def test_a_broken_file_is_named_with_its_reason(tmp_path, text, reason):
    record = read_one(tmp_path, text)

    assert isinstance(record, Skipped)
    assert record.key == "post.md"
    assert reason in record.reason


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "post.md").write_bytes(b"\xff\xfe\x00\x01")

    (record,) = read_folder(tmp_path)

    assert "UTF-8" in record.reason


def test_other_files_are_named_and_hidden_ones_are_not_looked_at(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "picture.png").write_bytes(b"x")
    (tmp_path / "README.md").write_text("How this folder works")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.md").write_text("x")

    assert [record.key for record in read_folder(tmp_path)] == ["README.md", "notes.txt"]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    outside = tmp_path / "outside.md"
    outside.write_text("---\ntitle: Secret\n---\nx")
    folder = tmp_path / "posts"
    folder.mkdir()
    (folder / "in.md").symlink_to(outside)

    assert list(read_folder(folder)) == []


def test_a_cover_is_taken_from_the_folder_only(tmp_path):
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts" / "c.png").write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "posts" / "a.md").write_text("---\ntitle: A\ncover: c.png\n---\nx")
    (tmp_path / "posts" / "b.md").write_text("---\ntitle: B\ncover: ../secret.png\n---\nx")

    covers = [record.cover for record in read_folder(tmp_path / "posts") if isinstance(record, PostRecord)]

    assert covers == [tmp_path / "posts" / "c.png", None]


def test_a_date_without_a_zone_is_in_the_sites(settings):
    settings.TIME_ZONE = "Europe/Madrid"

    assert as_datetime("2024-07-01 12:00").astimezone(UTC).hour == 10
    assert as_datetime(date(2024, 7, 1)).astimezone(UTC).hour == 22


def test_yaml_that_wants_to_run_code_is_refused():
    with pytest.raises(Unreadable):
        split("---\ntitle: !!python/object/apply:os.system ['true']\n---\nx")
