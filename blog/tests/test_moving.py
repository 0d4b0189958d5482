from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.files import File
from django.core.management import CommandError, call_command

from account.tests.factories import make_user
from actions.models import Action
from blog.models import Comment, Post
from blog.moving.pictures import PictureKeeper
from blog.tests.factories import make_post
from blog.tests.test_moving_wxr import HEAD, TAIL, comment, item
from content.tests.picture_files import picture_bytes
from mail.models import OutgoingMail
from search.engines import search

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: object, **options: object) -> str:
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out, verbosity=0, **options)
    return out.getvalue()


def run_in_vain(command: str, *arguments: object, **options: object) -> str:
    """Run a command that imports nothing, which is a failure, and return its report."""
    out = StringIO()
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command(command, *map(str, arguments), stdout=out, verbosity=0, **options)
    return out.getvalue()


@pytest.fixture
def ada():
    return make_user("ada", email="ada@old.example")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "2024-05-01-paper.md").write_text(
        "---\ntitle: Paper\ntags: [Москва, craft]\nauthor: ada\nexcerpt: About paper\n---\nWe fold **paper**.",
        encoding="utf-8",
    )
    (tmp_path / "idea.md").write_text("---\ntitle: An idea\ndraft: true\nauthor: ada\n---\nNot yet.")
    (tmp_path / "broken.md").write_text("---\ntitle: [\n---\nx")
    return tmp_path


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.xml"
    path.write_text(
        HEAD + item(1, extra=comment(1) + comment(2, approved="0")) + item(2, kind="page") + TAIL, encoding="utf-8"
    )
    return path


def everything():
    posts = [
        (
            p.title,
            p.slug,
            p.body,
            p.body_html,
            p.excerpt,
            p.publish_at,
            p.status,
            p.author.username,
            [t["name"] for t in p.tag_list],
        )
        for p in Post.objects.select_related("author").order_by("publish_on", "slug")
    ]
    return posts, list(Comment.objects.order_by("pk").values_list("name", "body", "state"))


def test_a_folder_becomes_posts_and_the_broken_file_is_named(ada, folder):
    said = run("import_posts", folder)

    paper = Post.objects.get(slug="paper")
    assert "2 posts and 0 comments imported" in said
    assert "broken.md: its front matter is broken" in said
    assert (paper.author, paper.excerpt, paper.publish_on.isoformat()) == (ada, "About paper", "2024-05-01")
    assert "<strong>paper</strong>" in paper.body_html
    assert Post.objects.get(slug="idea").status == Post.Status.DRAFT
    assert list(Post.objects.tagged("москва")) == [paper]
    assert [hit.object_id for hit in search("fold").hits] == [paper.pk]


def test_a_second_run_changes_nothing(ada, folder, export):
    run("import_posts", folder)
    run("import_posts", export)
    before = everything()

    said = run("import_posts", folder) + run("import_posts", export)

    assert everything() == before
    assert said.count("0 posts and 0 comments imported") == 2


def test_what_was_edited_here_since_is_left_alone(ada, folder):
    run("import_posts", folder)
    paper = Post.objects.get(slug="paper")
    paper.title, paper.slug, paper.publish_at = "Paper, revised", "revised", datetime(2025, 1, 1, tzinfo=UTC)
    paper.save()

    run("import_posts", folder)

    assert Post.objects.filter(title="Paper").count() == 0
    assert Post.objects.count() == 2


def test_a_dry_run_says_the_same_and_stores_nothing(folder, export):
    make_user("ada", email="ada@old.example")

    said = run("import_posts", folder, dry_run=True) + run("import_posts", export, dry_run=True)

    assert "2 posts and 0 comments would be imported" in said
    assert "1 posts and 2 comments would be imported" in said
    assert Post.objects.count() == 0


def test_wordpress_authors_are_found_by_address_or_made_inactive(export):
    run("import_posts", export)

    author = Post.objects.get().author
    assert (author.username, author.email, author.is_active) == ("ada", "ada@old.example", False)
    assert not author.has_usable_password()

    Post.objects.all().delete()
    type(author).objects.filter(pk=author.pk).update(username="countess")
    run("import_posts", export)
    assert Post.objects.get().author_id == author.pk


def test_comments_keep_their_date_and_wait_if_they_waited(ada, export):
    run("import_posts", export)

    post = Post.objects.get()
    states = dict(post.comments.values_list("source_key", "state"))
    assert set(states.values()) == {Comment.State.APPROVED, Comment.State.WAITING}
    assert post.comment_count == 1
    assert post.comments.first().created_at == datetime(2020, 5, 2, 8, tzinfo=UTC)


def test_moving_in_mails_nobody_and_fills_no_stream(ada, folder, export):
    run("import_posts", folder)
    run("import_posts", export)

    assert not OutgoingMail.objects.exists()
    assert not Action.objects.filter(verb__in=[Action.Verb.PUBLISHED, Action.Verb.COMMENTED]).exists()


def test_without_an_author_here_a_post_is_skipped_with_a_hint(folder):
    said = run_in_vain("import_posts", folder)

    assert "name one with --author" in said
    assert Post.objects.count() == 0

    make_user("bob")
    run("import_posts", folder, author="BOB")
    assert Post.objects.count() == 2


def test_a_wrong_path_or_author_is_said_plainly(tmp_path):
    with pytest.raises(CommandError, match="There is no"):
        run("import_posts", tmp_path / "nowhere")
    with pytest.raises(CommandError, match="Nobody here is called eve"):
        run("import_posts", tmp_path, author="eve")


def test_posts_that_left_come_back_the_same(ada, tmp_path):
    make_post(
        "Paper",
        author=ada,
        tags=("Москва", "???"),
        body="# One\r\n\r\n---\r\n\r\nTwo: *three*",
        excerpt="In: short",
    )
    make_post("???", author=ada, published=False)
    with_cover = make_post("Cover", author=ada, cover_alt="A square")
    cover = tmp_path / "c.png"
    cover.write_bytes(picture_bytes("PNG"))
    with cover.open("rb") as file:
        with_cover.cover.save("c.png", File(file))
    before = everything()

    run("export_posts", tmp_path / "out")
    Post.objects.all().delete()
    run("import_posts", tmp_path / "out")

    assert everything() == before
    back = Post.objects.get(slug="cover")
    assert (back.cover.width, back.cover_alt) == (with_cover.cover.width, "A square")
    assert run("import_posts", tmp_path / "out").startswith("0 posts")


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")

    with pytest.raises(CommandError):
        run("export_posts", tmp_path / "out")


def test_pictures_are_brought_here_and_what_cannot_be_stays_a_link(ada, tmp_path):
    def fetch(url):
        if "gone" in url:
            raise ValueError("not found")
        return picture_bytes("PNG")

    body = '![A](https://old.example/a.png) and ![B](https://old.example/gone.png "title")'
    (tmp_path / "a.md").write_text(f"---\ntitle: A\nauthor: ada\n---\n{body}")

    with patch("blog.management.commands.import_posts.fetch_picture", fetch):
        said = run("import_posts", tmp_path, fetch_images=True)

    post = Post.objects.get()
    assert "![A](/media/posts/" in post.body
    assert 'https://old.example/gone.png "title"' in post.body
    assert "stayed a link: not found" in said


def test_the_same_picture_is_fetched_once():
    fetched = []

    def fetch(url):
        fetched.append(url)
        return picture_bytes("PNG")

    PictureKeeper(fetch).keep("![a](https://a.example/x.png) ![b](https://a.example/x.png)")

    assert len(fetched) == 1
