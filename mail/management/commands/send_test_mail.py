from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from mail import outbox
from mail.models import OutgoingMail


class Command(BaseCommand):
    help = (
        "Send a mail through the outbox and say what became of it: is EMAIL_URL right, does the server take our mail?"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--note", default="", help="a line to recognise the mail by")

    def handle(self, *, address: str, note: str, **options: Any) -> None:
        try:
            mail = self.enqueue(address, note)
        except outbox.NotAnAddress as error:
            raise CommandError(str(error)) from error
        outbox.deliver(mail.pk)  # at once, whoever else may be about to: only one of us can
        mail.refresh_from_db()
        if mail.error:
            raise CommandError(f"{mail.get_status_display()}: {mail.error}")
        self.stdout.write(f"{mail.get_status_display()}: {mail.message_id}")

    @transaction.atomic
    def enqueue(self, address: str, note: str) -> OutgoingMail:
        key = f"test:{timezone.now().isoformat()}"
        return outbox.enqueue(
            kind="test", dedup_key=key, to=address, template="mail/email/test", context={"note": note}
        )
