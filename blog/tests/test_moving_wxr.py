import gc
import tracemalloc
from datetime import UTC, datetime

import pytest

from blog.moving.html import html_to_markdown
from blog.moving.records import PostRecord, Skipped
from blog.moving.wxr import read_wxr

HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>Old site</title><link>https://old.example</link>
<wp:author><wp:author_id>1</wp:author_id><wp:author_login>ada</wp:author_login><wp:author_email>ada@old.example</wp:author_email>
<wp:author_display_name><![CDATA[Ada Lind]]></wp:author_display_name></wp:author>
"""
TAIL = "</channel></rss>"


def item(
    number=1,
    *,
    title="Paper",
    kind="post",
    status="publish",
    body="<p>Fold it.</p>",
    extra="",
    date="2020-05-01 08:00:00",
):
    return f"""<item><title>{title}</title><dc:creator><![CDATA[ada]]></dc:creator>
<content:encoded><![CDATA[{body}]]></content:encoded><excerpt:encoded><![CDATA[In short.]]></excerpt:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date>2020-05-01 10:00:00</wp:post_date><wp:post_date_gmt>{date}</wp:post_date_gmt>
<wp:post_name>paper-{number}</wp:post_name><wp:status>{status}</wp:status><wp:post_type>{kind}</wp:post_type>
<category domain="category" nicename="craft"><![CDATA[Craft &amp; more]]></category>
<category domain="post_tag" nicename="x"><![CDATA[Москва]]></category>
<category domain="category" nicename="uncategorized"><![CDATA[Uncategorized]]></category>{extra}</item>
"""


def comment(number, *, approved="1", kind="comment", text="Lovely."):
    return f"""<wp:comment><wp:comment_id>{number}</wp:comment_id><wp:comment_author><![CDATA[Bob]]></wp:comment_author>
<wp:comment_author_email>bob@example.com</wp:comment_author_email><wp:comment_date_gmt>2020-05-02 08:00:00</wp:comment_date_gmt>
<wp:comment_content><![CDATA[{text}]]></wp:comment_content><wp:comment_approved>{approved}</wp:comment_approved>
<wp:comment_type>{kind}</wp:comment_type></wp:comment>"""


def read(tmp_path, *items, tail=TAIL):
    path = tmp_path / "export.xml"
    path.write_text(HEAD + "".join(items) + tail, encoding="utf-8")
    return list(read_wxr(path))


def test_a_post_comes_over_whole(tmp_path):
    (post,) = read(tmp_path, item(extra=comment(1)))

    assert isinstance(post, PostRecord)
    assert (post.key, post.title, post.slug) == ("wxr:https://old.example?p=1", "Paper", "paper-1")
    assert post.publish_at == datetime(2020, 5, 1, 8, tzinfo=UTC)
    assert (post.author.email, post.author.name) == ("ada@old.example", "Ada Lind")
    assert post.tags == ["Craft & more", "Москва"]
    assert (post.body, post.excerpt) == ("Fold it.", "In short.")
    (reply,) = post.comments
    assert (reply.name, reply.email, reply.body, reply.is_approved) == ("Bob", "bob@example.com", "Lovely.", True)


def test_what_is_no_post_is_named_with_its_reason(tmp_path):
    records = read(
        tmp_path,
        item(1, kind="page", title="About"),
        item(2, kind="attachment"),
        item(3, status="trash"),
        item(4, extra="<wp:post_password>x</wp:post_password>"),
        item(5, title=""),
    )

    assert [record.reason for record in records if isinstance(record, Skipped)] == [
        "a page is not a post",
        "a attachment is not a post",
        "its status is trash",
        "it is protected by a password",
        "it has no title",
    ]


def test_drafts_stay_drafts_even_without_a_date(tmp_path):
    (post,) = read(tmp_path, item(status="draft", date="0000-00-00 00:00:00"))

    assert post.is_draft
    assert post.publish_at == datetime(2020, 5, 1, 10, tzinfo=UTC)


def test_pings_spam_and_the_bin_are_left_behind_and_the_unapproved_wait(tmp_path):
    replies = [
        comment(1, kind="pingback"),
        comment(2, approved="spam"),
        comment(3, approved="trash"),
        comment(4, approved="0"),
    ]

    (post,) = read(tmp_path, item(extra="".join(replies)))

    assert [(c.key, c.is_approved) for c in post.comments] == [("wxr:https://old.example?p=1#comment-4", False)]


def test_a_file_that_breaks_off_gives_what_came_before(tmp_path):
    records = read(tmp_path, item(1), "<item><title>cut", tail="")

    assert isinstance(records[0], PostRecord)
    assert "broken from here on" in records[1].reason


def test_a_file_that_expands_entities_is_refused(tmp_path):
    path = tmp_path / "bomb.xml"
    path.write_text(
        '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><rss><channel><title>&b;</title></channel></rss>'
    )

    (record,) = read_wxr(path)

    assert isinstance(record, Skipped)


@pytest.fixture
def small_heap():
    """Keep what earlier tests left from being looked through at each collection."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def test_memory_does_not_grow_with_the_number_of_posts(tmp_path, small_heap):
    path, held = tmp_path / "export.xml", []
    path.write_text(HEAD + "".join(item(n, body="<p>word</p>" * 20) for n in range(300)) + TAIL)

    tracemalloc.start()
    for record in read_wxr(path):
        assert isinstance(record, PostRecord)
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()

    # The least, because what is read ahead comes and goes; one post that stays is 5,000 bytes.
    assert min(held[200:]) < min(held[:100]) + 100_000


def test_html_becomes_markdown_that_one_can_go_on_writing():
    html = """<!-- wp:paragraph --><p>Hello <strong>you</strong>, see <a href="https://a.example">this</a>.</p><!-- /wp:paragraph -->

A classic paragraph
with a break.

<h2>More</h2><ul><li>one</li><li>two</li></ul>
<pre class="language-python">def f():

    return 1</pre><script>alert(1)</script>"""

    assert html_to_markdown(html) == (
        "Hello **you**, see [this](https://a.example).\n\nA classic paragraph  \nwith a break.\n\n## More\n\n- one\n- two\n\n"
        "```python\ndef f():\n\n    return 1\n```"
    )
