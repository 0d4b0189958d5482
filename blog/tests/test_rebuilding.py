from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from blog.models import Comment, Post, PostCount, PostTag, Tag
from blog.tasks import align_post_tags
from blog.tests.factories import make_comment, make_post

pytestmark = pytest.mark.django_db


def run(**options):
    out = StringIO()
    call_command("rebuild_posts", stdout=out, verbosity=0, **options)
    return out.getvalue()


def test_what_the_verbs_have_stored_is_what_would_be_made():
    post = make_post(tags=("oak", "日本語"), body="[x](/shop/1/y/)\n\n```python\nx\n```")
    make_comment(post).move("hidden")
    make_comment(post)
    make_post(published=False, tags=("oak",))
    make_post(publish_at=timezone.now() + timedelta(days=1), tags=("oak",))
    post.tags.remove("日本語")
    other = make_post(tags=("oak",))
    other.author = post.author
    other.save()
    Post.objects.filter(pk=other.pk).set_status("draft")

    assert "4 posts looked at, 0 rows out of step" in run(check=True)


def test_changes_behind_the_verbs_back_are_found_and_put_right():
    post = make_post("Walnut", tags=("oak",))
    make_comment(post)
    before = (post.body_html, post.summary)
    Post.objects.filter(pk=post.pk).update(body_html="<b>old</b>", comment_count=7, tag_list=[], summary="")
    Tag.objects.update(post_count=9)
    PostCount.objects.update(posts=9)

    with pytest.raises(CommandError, match="out of step"):
        run(check=True)
    assert Post.objects.get().comment_count == 7
    run()

    post = Post.objects.get()
    assert (post.body_html, post.summary) == before
    assert (post.comment_count, post.tag_list[0]["name"]) == (1, "oak")
    assert Tag.objects.get().post_count == 1
    assert set(PostCount.objects.values_list("posts", flat=True)) == {1}
    assert "0 rows out of step" in run(check=True)


def test_a_bulk_withdrawal_is_brought_into_the_counts():
    make_post(tags=("oak",))
    Post.objects.update(status="draft")
    Comment.objects.update(state="hidden")

    run()

    assert Tag.objects.get().post_count == 0
    assert "0 rows out of step" in run(check=True)


def test_a_post_that_the_former_version_published_comes_back_to_its_tag():
    post = make_post("Between two versions", tags=("oak",))
    draft = make_post("A draft", tags=("oak",), published=False)
    moved = make_post("Of another day", tags=("oak",))
    PostTag.objects.filter(content_object=post).update(is_published=False)
    PostTag.objects.filter(content_object=draft).update(is_published=True)
    PostTag.objects.filter(content_object=moved).update(publish_at=timezone.now() - timedelta(days=90))
    tag = Tag.objects.get()
    assert [row.content_object for row in PostTag.objects.newest(tag.pk)] == [draft, moved]

    assert align_post_tags() == 3

    assert [row.content_object for row in PostTag.objects.newest(tag.pk)] == [moved, post]
    assert align_post_tags() == 0
