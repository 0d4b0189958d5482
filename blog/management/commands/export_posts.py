"""Move posts out, into a folder of Markdown files that import_posts and other systems read."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from blog.models import Post
from blog.moving.exporter import export_posts


class Command(BaseCommand):
    help = "Write every post, drafts too, as a Markdown file with YAML front matter into DIR, with its cover picture."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dir", type=Path)

    def handle(self, *, dir: Path, **options: Any) -> None:
        if dir.exists() and not dir.is_dir():
            raise CommandError(f"{dir} is a file.")
        total = Post.objects.count()
        try:
            for _path in tqdm(export_posts(dir), total=total, unit="post", disable=(options["verbosity"] == 0) or None):
                pass
        except OSError as error:
            raise CommandError(f"{dir} cannot be written: {error}.") from error
        self.stdout.write(f"{total} posts written to {dir}.")
