from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from archive.container import NotRestorable
from archive.restoring import NotEmpty, restore


class Command(BaseCommand):
    help = "Bring a backup back, into an empty site, whatever database either of them uses."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="an archive that `backup` has written")
        parser.add_argument("--force", action="store_true", help="replace everything that the site holds")

    def handle(self, *, source: Path, force: bool, **options: Any) -> None:
        try:
            manifest = restore(source, force=force, quiet=options["verbosity"] == 0)
        except NotEmpty as error:
            raise CommandError(
                f"This site is not empty: {error}. --force replaces everything in it with the backup."
            ) from error
        except (NotRestorable, DatabaseError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(table["rows"] for table in manifest["tables"])
        files = len(manifest["members"]) - len(manifest["tables"])
        self.stdout.write(f"{rows} rows and {files} files are back, as of {manifest['made_at']}.")
