"""Posts moving in and out: what is odd, broken or in the way."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils import timezone

from account.tests.factories import make_user
from blog.models import Post
from blog.tests.factories import make_post
from blog.tests.test_moving_wxr import HEAD, item
from config.tests.picture_files import picture_bytes

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

    report = run("import_posts", folder, "--author", "alice")

    assert "another post stands at its address" in report
    assert Post.objects.count() == 1


def test_too_slow_markdown_is_reported_and_the_rest_imported(folder, monkeypatch):
    make_user("alice")
    (folder / "bomb.md").write_text("---\ntitle: Bomb\ndate: 2024-01-01\n---\n" + "[" * 50_000)

    report = run("import_posts", folder, "--author", "alice")

    assert "bomb.md: This Markdown takes too long" in report
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
