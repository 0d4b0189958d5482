import contextlib
import os
import signal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils.http import url_has_allowed_host_and_scheme

from account.models import User
from content import markdown, tohtml
from content.fetch import FetchRefused, parse
from content.markdown import render
from images.forms import candidates_in

VECTORS = [
    line.replace("\\n", "\n").encode("raw_unicode_escape").decode("unicode_escape")
    for line in (Path(__file__).parent / "markdown_vectors.txt").read_text().splitlines()
]
ALIGNED = {"td": {"align"}, "th": {"align"}}
WRITTEN_BY_US = {"a": {"rel"}, "img": {"loading"}}


class Listed(HTMLParser):
    """Collects what a browser would see that is not on our list."""

    def __init__(self):
        super().__init__()
        self.strange = []

    def handle_starttag(self, tag, attrs):
        if tag not in tohtml.TAGS:
            self.strange.append(tag)
        allowed = tohtml.ATTRIBUTES.get(tag, set()) | ALIGNED.get(tag, set()) | WRITTEN_BY_US.get(tag, set())
        for name, value in attrs:
            if name not in allowed:
                self.strange.append(f"{tag}.{name}")
            scheme = (value or "").strip().partition(":")[0].lower()
            if name in ("href", "src") and scheme in ("javascript", "vbscript", "data", "file"):
                self.strange.append(value)


@pytest.mark.parametrize("source", VECTORS)
def test_hostile_markdown_comes_out_clean(source):
    html = render(source)

    seen = Listed()
    seen.feed(html)
    assert seen.strange == []


def test_code_is_highlighted_by_classes():
    html = render('```python\nprint("hi")\n```')

    assert '<div class="highlight">' in html
    assert '<span class="nb">print</span>' in html
    assert "style=" not in html


def test_headings_have_anchors_in_any_script_and_links_to_them_work():
    html = render("## Первая глава\n\n[up](#первая-глава)")

    assert '<h2 id="t-первая-глава">' in html
    assert 'href="#t-' in html


def test_an_author_can_not_take_the_names_of_the_page():
    assert 'id="main"' not in render('# Main\n\n<div id="main" name="cookie" class="button danger">x</div>')
    assert render('<div class="button danger">x</div>') == "<div>x</div>"


def test_heading_of_the_first_level_goes_one_down():
    assert render("# One\n\n## Two") == '<h2 id="t-one">One</h2>\n<h3 id="t-two">Two</h3>'
    assert render("## Two") == '<h2 id="t-two">Two</h2>'


def test_tables_and_footnotes():
    html = render("| a | b |\n|---|--:|\n| 1 | 2[^n] |\n\n[^n]: Note.")

    assert '<th align="right">b</th>' in html
    assert 'href="#t-fn:n"' in html
    assert 'id="t-fn:n"' in html


def test_own_pictures_show_and_strangers_become_links():
    html = render("![ours](/media/a.png) ![cdn](https://cdn.test/a.png) ![theirs](http://x.test/b.png)",
                  own_places=("https://cdn.test/",))  # fmt: skip

    assert '<img alt="ours" src="/media/a.png" loading="lazy">' in html
    assert '<img alt="cdn" src="https://cdn.test/a.png" loading="lazy">' in html
    assert '<a href="http://x.test/b.png" rel="noopener nofollow">theirs</a>' in html
    assert render("[![t](//x.test/b.png)](/y/)") == '<p><a href="/y/" rel="noopener">t</a></p>'


def test_too_long_is_refused():
    with pytest.raises(markdown.TooLong):
        render("x" * (markdown.MAX_LENGTH + 1))


def test_quadratic_input_is_refused_and_the_next_text_is_fine():
    # Left alone it would take minutes of processor time on any machine.
    with pytest.raises(markdown.TooSlow):
        render("[" * 100_000)

    assert render("fine") == "<p>fine</p>"


BOMBS = ["*a **b ", "> ", "<!--", "<div>", "_a", "\n", "- a\n" + " " * 4, "|", "`a``b```c"]


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_end(bomb):
    with contextlib.suppress(markdown.Refused):
        render((bomb * 50_000)[:50_000])

    assert render("fine") == "<p>fine</p>"


def test_child_that_left_or_was_killed_is_replaced():
    render("start")
    os.kill(markdown._child._process.pid, signal.SIGTERM)
    markdown._child._process.wait()

    assert render("again") == "<p>again</p>"


def test_nul_and_lone_surrogates_are_dropped():
    assert render("a\0b\ud800c") == "<p>abc</p>"


# --- Addresses that a browser reads otherwise than they look ---------------------------------------------------------

DISGUISED = (
    "ht\ttps://evil.example/x.png",
    "https\n://evil.example/x.png",
    "/\t/evil.example/x.png",
    "/\r\n/evil.example/x.png",
    "\\\t/evil.example/x.png",
    " //evil.example/x.png",
    "\x01https://evil.example/x.png",
    "\x0c//evil.example/x.png",
    "\t\\\\evil.example/x.png",
)


def as_references(address):
    return "".join(f"&#{ord(letter)};" if letter < "!" else letter for letter in address)


@pytest.mark.parametrize("address", DISGUISED)
def test_a_disguised_picture_from_elsewhere_becomes_a_link(address):
    html = markdown.render(f'<img src="{as_references(address)}">', own_places=("https://own.example/",))

    assert "<img" not in html
    assert "evil.example" in html


def test_a_disguise_in_markdown_itself_does_not_help_either():
    assert "<img" not in markdown.render("![x](/&#9;/evil.example/x.png)")


@pytest.mark.parametrize("address", DISGUISED)
def test_nor_does_anybody_else_who_judges_addresses_take_it_for_another(address):
    assert not url_has_allowed_host_and_scheme(address, allowed_hosts={"own.example"})
    assert candidates_in([address]) == []
    with pytest.raises(FetchRefused):
        parse(address)
    with pytest.raises(ValidationError):
        User(username="alice", link=address).clean_fields(exclude=["password", "email"])


def test_a_picture_of_our_own_stays_one_whatever_stands_around_its_address():
    html = markdown.render('<img src=" /media/posts/a.png&#9;">')

    assert '<img src="/media/posts/a.png" alt=""' in html
