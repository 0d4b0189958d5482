"""Real texts to search in: the posts of the demo, each as a whole and each of its paragraphs by itself."""

import re
from collections.abc import Iterator
from pathlib import Path

DEMO = Path(__file__).parent.parent / "demo" / "posts"
QUERIES = Path(__file__).parent / "queries.txt"
ELSEWHERE = [
    ("東京都庁の建築", "展望室からは富士山が見えることもあります。陶器の小さな店が一階にあります。"),
    ("京都の茶碗", "手作りの陶器を、窯元から直接お届けします。東京でも買えます。"),
    ("苹果手机壳的制作方法", "我们用皮革和棉线手工制作。每一个都不一样。"),
    ("手工纸", "这种纸是手工做的。适合书法。"),
    ("การทำเครื่องปั้นดินเผา", "เราใช้ดินเหนียวจากเชียงใหม่"),
]


def queries() -> list[str]:
    lines = QUERIES.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def entries() -> Iterator[tuple[str, str, str, str]]:
    """Yield kind, title, tags and body."""
    for path in sorted(DEMO.glob("*.md")):
        _, front, body = path.read_text().split("---\n", 2)
        tags = re.search(r"^tags: \[(.*)\]$", front, re.MULTILINE)
        yield "post", _field(front, "title"), tags[1].replace(",", "") if tags else "", body
        for paragraph in filter(None, map(str.strip, body.split("\n\n"))):
            yield "image", " ".join(paragraph.split()[:6]), "", paragraph
    for title, body in ELSEWHERE:
        yield "product", title, "", body


def _field(front: str, name: str) -> str:
    found = re.search(rf'^{name}: "?(.*?)"?$', front, re.MULTILINE)
    return found[1] if found else ""
