"""Write posts as Markdown files with YAML front matter: a folder that import_posts reads back to the same posts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from django.core.files.storage import default_storage

from blog.models import Post

PICTURES = "pictures"


def export_posts(folder: Path) -> Iterator[Path]:
    """Write every post, drafts too, and yield each file as it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    for post in Post.objects.select_related("author").order_by("pk").iterator(chunk_size=200):
        yield write_post(post, folder)


def write_post(post: Post, folder: Path) -> Path:
    path = folder / f"{post.publish_on:%Y-%m-%d}-{post.slug}.md"
    matter = yaml.safe_dump(front_matter(post, folder), allow_unicode=True, sort_keys=False, width=1000)
    # Newlines are written as they are stored: a body's own \r\n must survive the round trip.
    path.write_text(f"---\n{matter}---\n\n{post.body.strip()}\n", encoding="utf-8", newline="")
    return path


def front_matter(post: Post, folder: Path) -> dict[str, Any]:
    """Return the fields that the body does not hold, without those that are empty."""
    fields = {
        "title": post.title,
        "slug": post.slug,
        "date": post.publish_at.isoformat(),
        "author": post.author.get_username(),
        "draft": post.status == Post.Status.DRAFT,
        "tags": [tag["name"] for tag in post.tag_list],
        "excerpt": post.excerpt,
        "cover": _copy_cover(post, folder),
        "cover_alt": post.cover_alt,
        "source_key": post.source_key,
    }
    return {name: value for name, value in fields.items() if value not in ("", [], None)}


def _copy_cover(post: Post, folder: Path) -> str:
    name = post.cover.name
    if not name or not default_storage.exists(name):
        return ""
    target = folder / PICTURES / Path(name).name
    target.parent.mkdir(exist_ok=True)
    with default_storage.open(name) as file:
        target.write_bytes(file.read())
    return f"{PICTURES}/{target.name}"
