"""Posts moving in and out: what is odd, broken or in the way."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from account.tests.factories import make_user
from blog.models import Post
from blog.moving.importer import Importer
from blog.moving.records import PostRecord
from blog.tests.factories import make_post
from blog.tests.test_moving import run_in_vain
from blog.tests.test_moving_wxr import HEAD, TAIL, item
from content.tests.picture_files import picture_bytes

pytestmark = pytest.mark.django_db

MARKDOWN = "---\ntitle: Paper\ndate: 2024-05-01\ntags: [Москва, craft]\nexcerpt: Short.\n---\nFold *once*.\n"


def run(command, *args, **options):
    out = StringIO()
    call_command(command, *[str(arg) for arg in args], stdout=out, verbosity=0, **options)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "2024-05-01-paper.md").write_text(MARKDOWN)
    return folder


def test_a_strange_post_at_the_same_address_is_reported_not_swallowed(folder):
    alice = make_user("alice")
    make_post("Other", slug="paper", publish_at=datetime(2024, 5, 1, 12, tzinfo=UTC), author=alice)

    report = run_in_vain("import_posts", folder, "--author", "alice")

    assert "another post stands at its address" in report
    assert Post.objects.count() == 1


def test_too_slow_markdown_is_reported_and_the_rest_imported(folder, monkeypatch):
    make_user("alice")
    (folder / "bomb.md").write_text("---\ntitle: Bomb\ndate: 2024-01-01\n---\n" + "[" * 50_000)

    report = run("import_posts", folder, "--author", "alice")

    assert "bomb.md: Its body: This Markdown takes too long" in report
    assert Post.objects.count() == 1


def test_a_torn_file_gives_what_came_before_the_tear(tmp_path):
    path = tmp_path / "export.xml"
    path.write_text(HEAD + item(1) + item(2)[:200])

    report = run("import_posts", path)

    assert "1 posts" in report
    assert "broken from here on" in report


def exported():
    fields = (
        "title",
        "slug",
        "body",
        "excerpt",
        "status",
        "publish_at",
        "publish_on",
        "cover_alt",
        "body_html",
        "summary",
    )
    posts = Post.objects.order_by("publish_at", "slug")
    return [
        {
            **{name: str(getattr(post, name)) for name in fields},
            "tags": [tag["name"] for tag in post.tag_list],
            "author": post.author.username,
            "has_cover": bool(post.cover),
        }
        for post in posts
    ]


def test_an_export_imports_back_to_the_same_posts(tmp_path):
    alice, bob = make_user("alice"), make_user("bob")
    make_post("Plain", author=alice)
    make_post('日本語 \'"quotes": and\ttabs #', author=bob, tags=("Москва", "a, b"), excerpt="Two\nlines --- here")
    make_post("Draft", author=alice, published=False, body="---\nnot front matter\n---\n\r\nwindows\r\nlines")
    make_post("Later", author=alice, publish_at=timezone.now() + timedelta(days=3), body="trailing  \nspaces")
    covered = make_post("With cover", author=alice, cover_alt="A box")
    covered.cover.save("c.png", ContentFile(picture_bytes()))
    before = exported()

    report = run("export_posts", tmp_path / "out")
    assert "5 posts written" in report
    assert "5 were here already" in run("import_posts", tmp_path / "out")
    for post in Post.objects.all():
        post.delete()
    run("import_posts", tmp_path / "out")

    assert json.dumps(exported(), indent=1, ensure_ascii=False) == json.dumps(before, indent=1, ensure_ascii=False)


def test_a_post_without_text_is_named_and_the_rest_imported(tmp_path):
    make_user("alice")
    path = tmp_path / "export.xml"
    path.write_text(HEAD + item(1, body="") + item(2) + TAIL)

    rehearsal = run("import_posts", path, "--author", "alice", dry_run=True)
    report = run("import_posts", path, "--author", "alice")

    for said in (rehearsal, report):
        assert "1 posts" in said
        assert "it has no text" in said
    assert Post.objects.count() == 1


def test_html_nested_ten_thousand_deep_is_named_and_the_rest_imported(tmp_path):
    path = tmp_path / "export.xml"
    path.write_text(HEAD + item(1, body="<div>" * 10_000 + "deep") + item(2) + TAIL)

    report = run("import_posts", path)

    assert "post Paper: its HTML is nested too deeply" in report
    assert Post.objects.count() == 1


@pytest.mark.parametrize("odd", ["half a letter \ud800", "a NUL \0"])
def test_a_post_that_no_database_stores_is_named_and_the_rest_imported(odd):
    alice = make_user("alice")
    records = [
        PostRecord(key="odd", title=odd, body="Text.", slug="odd"),
        PostRecord(key="good", title="Good", body="Text.", slug="good"),
    ]

    report = Importer(author=alice).run(records)

    assert Post.objects.filter(title="Good").exists()
    assert report.created + len(report.skipped) == 2  # SQLite stores a NUL


def test_an_import_without_a_single_post_fails_with_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="There is no post in it"):
        run("import_posts", tmp_path)
    (tmp_path / "broken.xml").write_text("<rss><chan")
    with pytest.raises(CommandError, match="Nothing was imported"):
        run("import_posts", tmp_path / "broken.xml")


def test_an_export_into_a_place_that_cannot_be_written_fails_with_a_sentence():
    make_post()
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_posts", "/proc/nowhere")
