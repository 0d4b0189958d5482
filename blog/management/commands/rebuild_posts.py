"""Make everything that is stored of posts anew: HTML, summaries, tags, counts, mentions, search documents."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from blog.models import Post
from blog.rebuilding import rebuild


class Command(BaseCommand):
    help = "Compare what is stored of posts with what would be made of them today, and put it right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only report; fails when something is out of step")

    def handle(self, *, check: bool, **options: Any) -> None:
        total = Post.objects.count()
        steps = tqdm(rebuild(write=not check), total=total, unit="post", disable=(options["verbosity"] == 0) or None)
        drift = [step for step in steps if step]
        for name, fields in drift:
            self.stdout.write(f"{name}: {', '.join(fields)}")
        if drift and check:
            raise CommandError(f"{len(drift)} rows are out of step.")
        self.stdout.write(f"{total} posts looked at, {len(drift)} rows {'put right' if drift else 'out of step'}.")
