"""
The pictures that a web page shows, by its own word.

Two patterns instead of a parser: hostile markup made the standard library's take seconds or raise, and four tags are
all we need. Neither pattern can look at a character twice, so the time grows with the length alone.
"""

import re
from html import unescape
from urllib.parse import unquote, urljoin, urlsplit

MAX_HTML = 1_000_000
MAX_FOUND = 60
SAYS_SO = {"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"}

TAG = re.compile(r"<(meta|link|img)\b([^<>]{0,5000})>", re.IGNORECASE)
TITLE = re.compile(r"<title[^<>]{0,500}>([^<]{0,1000})<", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")


def title_of_page(html: str) -> str:
    """Return what the page calls itself, or nothing."""
    for tag, text in TAG.findall(html[:MAX_HTML]):
        values = _values(text)
        if tag.lower() == "meta" and (values.get("property") or values.get("name", "")).lower() == "og:title":
            return " ".join(values.get("content", "").split())
    found = TITLE.search(html[:MAX_HTML])
    return " ".join(unescape(found[1]).split()) if found else ""


def title_of_address(url: str) -> str:
    """Return what to call the picture at an address for want of a better name."""
    parts = urlsplit(url)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2]).rpartition(".")[0]
    return tidy_title(name) or parts.hostname or ""


def tidy_title(name: str) -> str:
    return name.replace("\0", "").replace("_", " ").replace("-", " ").strip()[:200]


def _values(text: str) -> dict[str, str]:
    return {name.lower(): unescape(value.strip("\"'")) for name, value in ATTRIBUTE.findall(text)}


def find_pictures(html: str, base: str) -> list[str]:
    """Return http addresses of pictures, those first that the page itself names as its picture."""
    named: list[str] = []
    shown: list[str] = []
    for tag, text in TAG.findall(html[:MAX_HTML]):
        values = _values(text)
        if tag.lower() == "meta" and (values.get("property") or values.get("name", "")).lower() in SAYS_SO:
            named.append(values.get("content", ""))
        elif tag.lower() == "link" and values.get("rel", "").lower() == "image_src":
            named.append(values.get("href", ""))
        elif tag.lower() == "img":
            shown.append(largest(values.get("srcset", "")) or values.get("src", ""))
    found = [_join(base, address.strip()) for address in [*named, *shown] if address.strip()]
    return list(dict.fromkeys(address for address in found if address.startswith(("http://", "https://"))))[:MAX_FOUND]


def _join(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # such as http://[
        return ""


def largest(srcset: str) -> str:
    """Return the address that a srcset gives the greatest width or density."""
    best, best_size = "", -1.0
    for candidate in srcset.split(", "):
        address, _, size = candidate.strip().rstrip(",").rpartition(" ")
        try:
            number = float(size.rstrip("wx"))
        except ValueError:
            address, number = candidate.strip(), 1.0
        if address and number > best_size:
            best, best_size = address.strip(), number
    return best
