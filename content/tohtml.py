"""Markdown to clean HTML: what runs in a child of content/markdown.py, without Django."""

import json
import re

import nh3
from markdown import Markdown
from markdown.extensions.toc import slugify_unicode
from pygments.token import STANDARD_TYPES

C0_AND_SPACE = "".join(map(chr, range(0x21)))
# What is stored was cleaned when it was saved: `manage.py rebuild_posts` does it again.
TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "details", "div", "dl", "dt",
    "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark",
    "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul", "var",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title", "class"},
    "abbr": {"title"},
    "code": {"class"},
    "div": {"class"},
    "img": {"src", "alt", "title", "width", "height"},
    "li": {"id"},
    "ol": {"start"},
    "span": {"class"},
    "sup": {"id"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
ALIGNMENTS = {"left", "right", "center"}
URL_SCHEMES = {"http", "https", "mailto"}
CODE_CLASSES = set(STANDARD_TYPES.values()) - {""}
CLASSES = {"highlight", "footnote", "footnote-ref", "footnote-backref"}
# Ids that a text brings along live in a room of their own: "main" in a heading must not answer to the page's #main.
ID_PREFIX = "t-"
# What nh3 writes is regular: lower-case names, double quotes around every value.
IMAGE = re.compile(r'<img\b(?:[^>"]|"[^"]*")*>')
ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')


def work(question: bytes) -> bytes:
    source, own_places = json.loads(question)
    return convert(source, tuple(own_places)).encode()


def convert(source: str, own_places: tuple[str, ...]) -> str:
    writer = Markdown(
        extensions=["abbr", "codehilite", "def_list", "fenced_code", "footnotes", "sane_lists", "tables", "toc"],
        extension_configs={
            "codehilite": {"css_class": "highlight", "guess_lang": False},
            "tables": {"use_align_attribute": True},
            "toc": {"slugify": slugify_unicode, "marker": ""},
        },
    )
    html = clean(writer.convert(source))
    html = IMAGE.sub(lambda match: _image(match, own_places), html)
    if "<h1" in html:  # the page has its h1 already: everything goes one down
        html = re.sub(r"(</?h)([1-5])\b", lambda match: f"{match[1]}{int(match[2]) + 1}", html)
    return html


def clean(html: str) -> str:
    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return ID_PREFIX + value
        if name == "href" and value.startswith("#") and len(value) > 1:
            return "#" + ID_PREFIX + value[1:]
        if name == "class":
            allowed = CODE_CLASSES if tag == "span" else CLASSES
            return " ".join(word for word in value.split() if word in allowed) or None
        return value

    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=keep,
        set_tag_attribute_values={"pre": {"tabindex": "0"}},  # a wide one scrolls, by keyboard too
        tag_attribute_values={"td": {"align": ALIGNMENTS}, "th": {"align": ALIGNMENTS}},
        url_schemes=URL_SCHEMES,
        link_rel="noopener",
    )


def _image(match: re.Match[str], own_places: tuple[str, ...]) -> str:
    tag = match[0]
    attributes = dict(ATTRIBUTE.findall(tag))
    source = as_browsers_read(attributes.get("src", ""))
    alt: str = attributes.get("alt", "")
    is_own = not re.match(r"[a-z][a-z0-9+.-]*:|[/\\]{2}", source, re.IGNORECASE) or source.startswith(own_places)
    if not source:
        return alt
    is_in_link = match.string.rfind("<a ", 0, match.start()) > match.string.rfind("</a>", 0, match.start())
    if not is_own and is_in_link:
        return alt or source
    if not is_own:
        return f'<a href="{source}" rel="noopener nofollow">{alt or source}</a>'
    tag = tag.replace(f'src="{attributes["src"]}"', f'src="{source}"')
    return tag[:-1] + ("" if "alt" in attributes else ' alt=""') + ' loading="lazy">'


def as_browsers_read(address: str) -> str:
    """Leave out what an address parser leaves out before it looks: https://url.spec.whatwg.org/#concept-basic-url-parser."""
    return re.sub(r"[\t\n\r]", "", address.strip(C0_AND_SPACE))
