import sys
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from search.reindexing import count, reindex


class Command(BaseCommand):
    help = "Compare the search index with everything it is about, say where it differs, and put it right."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail when the index differs")

    def handle(self, *, check: bool, **options: Any) -> None:
        with tqdm(total=count(), unit=" objects", file=sys.stderr, disable=None) as bar:
            drifts = reindex(repair=not check, progress=bar.update)
        for kind, drift in sorted(drifts.items()):
            self.stdout.write(f"{kind}: {drift.missing} missing, {drift.stale} stale, {drift.left_over} left over")
        if check and any(drifts.values()):
            raise CommandError("The index differs; `manage.py reindex` puts it right.")
