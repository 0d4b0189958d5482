"""A Ghost export becomes posts: what readers saw stays what readers see, and what only some could read stays away."""

import json
import re
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from account.tests.factories import make_user
from blog.models import Post
from blog.moving.ghost import read_ghost
from blog.moving.importer import Importer
from blog.moving.records import PostRecord, Skipped


def export(*posts, **tables):
    data = {
        "posts": list(posts),
        "users": [{"id": "u1", "slug": "ada", "name": "Ada Lind", "email": "ada@example.org"}],
        "tags": [{"id": "t1", "name": "Paper"}, {"id": "t2", "name": "#hidden"}, {"id": "t3", "name": "Ink"}],
        **tables,
    }
    return {"db": [{"meta": {"version": "5.82.0"}, "data": data}]}


def post(**fields):
    base = {
        "id": "p1",
        "uuid": "0d6b",
        "title": "How we fold",
        "slug": "how-we-fold",
        "html": "<p>Fold it <strong>twice</strong>.</p><!--kg-card-begin: html--><p>Then once.</p>",
        "type": "post",
        "status": "published",
        "visibility": "public",
        "published_at": "2024-05-01T09:30:00.000Z",
        "custom_excerpt": "Three folds.",
    }
    return base | fields


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "ghost.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def read(path, **options):
    return list(read_ghost(path, **options))


def test_a_post_with_its_words_date_author_and_tags(file):
    links = {
        "posts_authors": [{"post_id": "p1", "author_id": "u1", "sort_order": 0}],
        "posts_tags": [
            {"post_id": "p1", "tag_id": "t3", "sort_order": 1},
            {"post_id": "p1", "tag_id": "t1", "sort_order": 0},
            {"post_id": "p1", "tag_id": "t2", "sort_order": 2},
        ],
    }

    [record] = read(file(export(post(), **links)))

    assert isinstance(record, PostRecord)
    assert (record.title, record.slug, record.excerpt) == ("How we fold", "how-we-fold", "Three folds.")
    assert record.body == "Fold it **twice**.\n\nThen once."
    assert record.publish_at == datetime(2024, 5, 1, 9, 30, tzinfo=UTC)
    assert record.author.email == "ada@example.org"
    assert record.tags == ["Paper", "Ink"]
    assert not record.is_draft


def test_cover_and_pictures_get_the_old_sites_address(file):
    row = post(
        feature_image="__GHOST_URL__/content/images/a.jpg",
        html='<img src="__GHOST_URL__/content/images/b.jpg" alt="B">',
    )
    tables = {"posts_meta": [{"post_id": "p1", "feature_image_alt": "A sheet"}]}

    [record] = read(file(export(row, **tables)), site="https://old.example/")

    assert record.body.startswith("![A sheet](https://old.example/content/images/a.jpg)")
    assert "![B](https://old.example/content/images/b.jpg)" in record.body


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "page"}, "a page is not a post"),
        ({"page": 1}, "a page is not a post"),
        ({"visibility": "paid"}, "not everybody could read it (paid)"),
        ({"status": "sent"}, "it was only sent by mail"),
        ({"title": " "}, "it has no title"),
    ],
)
def test_what_is_no_public_post_is_left_out_with_a_reason(file, fields, reason):
    [skipped] = read(file(export(post(**fields))))

    assert isinstance(skipped, Skipped)
    assert skipped.reason == reason


def test_drafts_stay_drafts_and_old_exports_count_milliseconds(file):
    rows = [post(status="draft", published_at=None, html=None, plaintext="Not yet."), post(published_at=1714555800000)]
    content = export(*rows)["db"][0]  # without the outer list, as in the first years

    draft, old = read(file(content))

    assert draft.is_draft
    assert draft.body == "Not yet."
    assert old.publish_at == datetime(2024, 5, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "[" * 100_000, '{"db": []}', '{"db": {"data": 1}}', '{"data": {"posts": {"a": 1}}}']
)
def test_a_file_that_is_something_else_is_named(file, content):
    [skipped] = read(file(content))

    assert "no Ghost export" in skipped.reason


ODD = [None, 5, 1e308, True, "", "x\0y", "\ud800", "9" * 300, [], [None], {}, {"a": {"b": 1}}]
PYTHON = re.compile(r"Error|Exception|NoneType|instance|attribute|object|\bdict\b|\bstr\b|codec|expected|\['|\{'")


TABLES = ("users", "tags", "posts_tags", "posts_authors", "posts_meta")


def exports_with(value):
    """Give exports with the value in every place, each beside a post that is as it should be."""
    good, link = post(id="good", uuid="good", title="Good", slug="good"), {"post_id": "p1", "author_id": "u1"}
    fields = [*post(), "author_id", "feature_image", "page", "created_at", "plaintext"]
    yield export(value, *(post(**{"uuid": name, "slug": name, name: value}) for name in fields), good)
    yield export(post(), good, **dict.fromkeys(TABLES, value))
    yield export(post(), good, **{table: [value, value] for table in TABLES})
    for name in ("id", "slug", "name", "email", "post_id", "author_id", "tag_id", "sort_order", "feature_image_alt"):
        rows = {table: [{"id": "u1", "slug": "ada", "name": "Ada", name: value}] for table in TABLES[:2]}
        links = {table: [link | {"tag_id": "u1"}, link | {name: value}] for table in TABLES[2:]}
        yield export(post(), good, **rows, **links)


@pytest.mark.django_db
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_no_odd_value_keeps_the_other_posts_away_or_is_told_in_a_programmers_words(file, value):
    author = make_user("ada")
    for content in exports_with(value):
        importer = Importer(author=author)

        report = importer.run(read_ghost(file(content)))

        assert Post.objects.filter(title="Good").exists(), content
        for each in [*report.skipped, *report.notes]:
            assert each.key
            assert not PYTHON.search(each.reason), each
        Post.objects.all().delete()


@pytest.mark.parametrize(
    ("row", "name", "reason"),
    [
        (7, "post 1", "it is not as Ghost writes a post"),
        (post(html={"a": 1}), "How we fold", "its text is not text"),
        (post(title=["a", None]), "post 1", "it has no title"),
        (post(id=None, uuid=None), "How we fold", "it has no number, so a second import would not find it again"),
    ],
)
def test_a_row_that_is_no_post_is_named_with_what_is_wrong(file, row, name, reason):
    assert read(file(export(row))) == [Skipped(name, reason)]


@pytest.mark.django_db
def test_the_command_takes_it_and_a_second_run_changes_nothing(file):
    path, said = file(export(post(), post(id="p2", uuid="1f", title="About", type="page"))), StringIO()
    make_user("ada", email="ada@example.org")
    for _ in range(2):
        call_command("import_posts", path, author="ada", verbosity=0, stdout=said)

    assert Post.objects.get().title == "How we fold"
    assert "1 posts and 0 comments imported, 0 were here already, 1 skipped." in said.getvalue()
    assert "0 posts and 0 comments imported, 1 were here already, 1 skipped." in said.getvalue()


def test_an_unknown_kind_of_file_is_named(tmp_path):
    (tmp_path / "posts.csv").write_text("a,b")

    with pytest.raises(CommandError, match="neither"):
        call_command("import_posts", tmp_path / "posts.csv", verbosity=0)
