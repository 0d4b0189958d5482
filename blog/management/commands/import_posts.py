"""Move posts in: a folder of Markdown files, or the export file of WordPress or Ghost."""

from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from account.models import User
from blog.moving.folder import list_files, read_folder
from blog.moving.ghost import read_ghost
from blog.moving.importer import Importer, Report
from blog.moving.pictures import PictureKeeper
from blog.moving.records import Skipped
from blog.moving.wxr import read_wxr
from content.fetch import fetch_picture


class Command(BaseCommand):
    help = (
        "Import posts from a folder of Markdown files with front matter (Jekyll, Hugo, Pelican) or from the export file "
        "of WordPress or Ghost. Safe to run twice: posts that are here already are left as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a folder, a WordPress .xml file or a Ghost .json file")
        parser.add_argument("--author", help="username who wrote what names no author known here")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and store nothing")
        parser.add_argument("--fetch-images", action="store_true", help="copy pictures from other sites here")
        parser.add_argument("--site", default="", help="address that the Ghost site had, for its pictures and links")

    def handle(self, *, path: Path, author: str | None, dry_run: bool, fetch_images: bool, **options: Any) -> None:
        if not path.exists():
            raise CommandError(f"There is no {path}.")
        try:
            self._import(path, author=author, dry_run=dry_run, fetch_images=fetch_images, **options)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error}.") from error

    def _import(self, path: Path, *, author: str | None, dry_run: bool, fetch_images: bool, **options: Any) -> None:
        importer = Importer(
            author=self._author(author),
            write=not dry_run,
            pictures=PictureKeeper(fetch_picture) if fetch_images else None,
        )
        quiet = options["verbosity"] == 0
        if path.is_dir():
            self._take_folder(path, importer, quiet=quiet)
        elif path.suffix.lower() == ".json":
            importer.run(tqdm(list(read_ghost(path, site=options["site"])), unit="post", disable=quiet or None))
        elif path.suffix.lower() == ".xml":
            self._take_file(path, importer, quiet=quiet)
        else:
            raise CommandError(
                f"{path.name} is neither a folder nor a .xml file of WordPress nor a .json file of Ghost."
            )
        self._tell(importer.report, dry_run=dry_run)

    def _author(self, username: str | None) -> User | None:
        if not username:
            return None
        author: User | None = User.objects.filter(username__iexact=username).first()
        if author is None:
            raise CommandError(f"Nobody here is called {username}.")
        return author

    def _take_folder(self, path: Path, importer: Importer, *, quiet: bool) -> None:
        with tqdm(total=len(list_files(path)), unit="file", disable=quiet or None) as bar:
            for record in read_folder(path):
                importer.take(record)
                bar.update()

    def _take_file(self, path: Path, importer: Importer, *, quiet: bool) -> None:
        with (
            tqdm(total=path.stat().st_size, unit="B", unit_scale=True, disable=quiet or None) as bar,
            closing(read_wxr(path, on_progress=lambda position: bar.update(position - bar.n))) as records,
        ):
            importer.run(records)

    def _tell(self, report: Report, *, dry_run: bool) -> None:
        verb = "would be imported" if dry_run else "imported"
        self.stdout.write(
            f"{report.created} posts and {report.comments} comments {verb}, {report.unchanged} were here already, "
            f"{len(report.skipped)} skipped."
        )
        self._list("Skipped:", report.skipped)
        self._list("Worth knowing:", report.notes)
        if not report.created and not report.unchanged:
            raise CommandError("Nothing was imported." if report.skipped else "There is no post in it.")

    def _list(self, heading: str, lines: list[Skipped]) -> None:
        if lines:
            self.stdout.write(heading)
        for line in lines:
            self.stdout.write(f"  {line.key}: {line.reason}")
