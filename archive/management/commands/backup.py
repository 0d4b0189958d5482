from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from archive.container import NotRestorable
from archive.making import make

NAME = "atelier-%Y%m%d-%H%M%S.zip"


class Command(BaseCommand):
    help = "Write the whole site, rows and files, into one archive while it runs; `restore` reads it on any database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, help="a file, or a folder in which a file gets today's name")
        parser.add_argument("--keep", type=int, metavar="N", help="delete all but the newest N archives of the folder")

    def handle(self, *, target: Path, keep: int | None, **options: Any) -> None:
        folder = target if target.is_dir() else None
        if keep is not None and (keep < 1 or not folder):
            raise CommandError("--keep takes a number from 1, and TARGET has to be a folder.")
        if folder:
            target = folder / timezone.now().strftime(NAME)
        elif target.exists():
            raise CommandError(f"{target} exists already.")
        try:
            made = make(target, quiet=options["verbosity"] == 0)
        except (OSError, NotRestorable) as error:
            raise CommandError(str(error)) from error
        size = target.stat().st_size / 1e6
        self.stdout.write(f"{target}: {made.rows} rows, {made.files} files, {size:.1f} MB.")
        if made.gone:
            self.stdout.write(f"{made.gone} files were deleted on the site meanwhile and are not in it.")
        if folder and keep:
            for old in sorted(folder.glob("atelier-*.zip"))[:-keep]:
                old.unlink()
