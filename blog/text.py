"""What is said about a text without showing it: its summary, how long it takes to read, what it links to."""

import html
import math
import re
from collections.abc import Iterator

from django.conf import settings
from django.utils.html import strip_tags
from django.utils.text import Truncator

WORDS_A_MINUTE = 220
# Chinese, Japanese and Korean are not written in words: two characters count as one.
LOGOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
WORD = re.compile(r"\w+")
BLOCK_END = re.compile(r"</(?:p|h[1-6]|li|td|th|tr|pre|dt|dd|blockquote|div)>|<br>")
FOOTNOTE_MARK = re.compile(r'<sup id="t-fnref.*?</sup>')
NO_OPENING = re.compile(r"<(pre|h[2-6]|table)\b.*?</\1>", re.DOTALL)
SENTENCE_END = re.compile(r"""[.!?…]["”\u2019)]?(?= )""")
LINK = re.compile(r'<a href="([^"]+)"')
PLACE = re.compile(r"/[\w-]+/\d+/")
FOOTNOTES = re.compile(r'<div class="footnote">.*\Z', re.DOTALL)


def plain(body_html: str) -> str:
    """Return the words of a rendered body, in one line."""
    return " ".join(html.unescape(strip_tags(BLOCK_END.sub(" ", body_html))).split())


def summarise(body_html: str) -> str:
    """Return the opening sentences, without headings, code and footnotes, for a post whose author wrote no excerpt."""
    opening = plain(NO_OPENING.sub(" ", FOOTNOTE_MARK.sub("", FOOTNOTES.sub("", body_html[:20_000]))))
    words = Truncator(opening[:2000]).words(45, truncate=" …")[:500]
    if not words.endswith(" …"):
        return words
    whole_sentences = words[: max((end.end() for end in SENTENCE_END.finditer(words)), default=0)]
    return whole_sentences if len(whole_sentences) > len(words) / 3 else words


def reading_minutes(body_html: str) -> int:
    text = plain(body_html)
    logographs = len(LOGOGRAPHS.findall(text))
    words = len(WORD.findall(LOGOGRAPHS.sub(" ", text)))
    return max(1, math.ceil((words + logographs / 2) / WORDS_A_MINUTE))


def place(path: str) -> str:
    """Return what names a page for good: "/shop/12/" of "/shop/12/oak-box/", whose slug may change; or nothing."""
    found = PLACE.match(path)
    return found[0][:60] if found else ""


def places(body_html: str) -> Iterator[str]:
    """Yield the places on this site that a rendered body links to."""
    for address in LINK.findall(body_html):
        found = place(html.unescape(address).removeprefix(settings.SITE_URL))
        if found:
            yield found
