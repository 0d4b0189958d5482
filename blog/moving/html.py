"""WordPress's HTML made into the Markdown that a writer goes on working with."""

import re

from markdownify import markdownify

from .records import Unreadable

BLOCK_MARKERS = re.compile(r"<!--\s*/?wp:.*?-->", re.DOTALL)
PREFORMATTED = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL | re.IGNORECASE)
STARTS_BLOCK = re.compile(
    r"\s*</?(address|article|aside|blockquote|details|div|dl|dt|dd|figure|figcaption|footer|form|h[1-6]|header|hr|li|main|nav"
    r"|ol|p|pre|section|table|tbody|td|tfoot|th|thead|tr|ul|!--)\b",
    re.IGNORECASE,
)


def html_to_markdown(html: str) -> str:
    """
    Return Markdown for a post, an excerpt or a comment; blank lines in classic posts become paragraphs.

    Raises Unreadable for HTML that is nested deeper than the converter follows.
    """
    html = BLOCK_MARKERS.sub("", html.replace("\r\n", "\n").replace("\0", ""))
    if not html.strip():
        return ""
    try:
        markdown = markdownify(
            _with_paragraphs(html), heading_style="ATX", bullets="-", code_language_callback=_language
        )
    except RecursionError:
        raise Unreadable("its HTML is nested too deeply") from None
    return re.sub(r"\n{3,}", "\n\n", markdown).strip()


def _with_paragraphs(html: str) -> str:
    """Do what WordPress does when it shows a classic post: a blank line ends a paragraph, a newline is a break."""
    parts = PREFORMATTED.split(html)
    parts[::2] = [_wrap(part) for part in parts[::2]]
    return "".join(parts)


def _wrap(text: str) -> str:
    chunks = [chunk for chunk in re.split(r"\n\s*\n", text) if chunk.strip()]
    return "\n\n".join(
        chunk if STARTS_BLOCK.match(chunk) else f"<p>{chunk.strip().replace(chr(10), '<br>' + chr(10))}</p>"
        for chunk in chunks
    )


def _language(element) -> str:  # type: ignore[no-untyped-def]  # a BeautifulSoup tag
    classes = " ".join(element.get("class") or [])
    found = re.search(r"(?:language-|lang[:-]|brush:\s*)(\w+)", classes)
    return found[1] if found else ""
