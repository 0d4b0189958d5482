import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from core.jobs import sweeps


class Command(BaseCommand):
    help = "Run every sweep that is due: mail not yet sent, payments not yet booked, orders past their time. For cron."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on until stopped, each sweep at its own pace")
        parser.add_argument("--now", action="store_true", help="also run those that are not due yet")

    def handle(self, *, forever: bool, now: bool, **options: Any) -> None:
        if forever:
            stop = threading.Event()
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            signal.signal(signal.SIGINT, lambda *_: stop.set())
            sweeps.run_on_time(stop)
        elif failed := (sweeps.run if now else sweeps.run_due)(settings.SWEEPS):
            raise CommandError(f"Failed, see the log: {', '.join(failed)}")
