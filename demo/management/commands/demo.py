from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from demo.accounts import with_known_password
from demo.fill import Plan, Size, fill, is_empty
from demo.models import DemoContent
from demo.people import MEMBER, PASSWORD, STAFF
from demo.removing import StillNeeded, remove


class Command(BaseCommand):
    help = "Fill an empty site with demo content and print the logins; a site that is in use is left alone."
    # With DEBUG off the demo's open login is an error of its own, and `--remove` is the way out.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        for part in fields(Size):
            parser.add_argument(
                f"--{part.name}", type=int, default=part.default, help=f"how many (default {part.default})"
            )

        parser.add_argument("--remove", action="store_true", help="take the demo away again, and leave what is yours")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self._remove()
        else:
            self._fill(**options)

    def _remove(self) -> None:
        if not DemoContent.objects.exists() and not with_known_password():
            self.stdout.write("There is nothing of the demo on this site (any more), so nothing was removed.")
            return
        try:
            removed = remove()
        except StillNeeded as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{removed} posts, pictures and products are gone, with the demo's people and all orders placed for trying. "
            "`manage.py createsuperuser` makes your own login."
        )

    def _fill(self, **options: Any) -> None:
        if not settings.DEBUG:
            self.stderr.write("DEBUG is off: no demo content, because its passwords are known to everybody.")
            return
        if not is_empty():
            self.stdout.write("The site has content already; the demo is left out.")
            return
        plan = Plan(Size(**{part.name: options[part.name] for part in fields(Size)}))

        def progress(things: Iterable[Any], what: str, total: int) -> Iterable[Any]:
            return tqdm(things, what, total, unit="", leave=False, disable=None if options["verbosity"] else True)

        fill(plan, progress)
        self.stdout.write(f"Log in as {MEMBER} (member) or {STAFF} (staff); password {PASSWORD}")
