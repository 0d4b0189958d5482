from itertools import count

from django.db import transaction

from mail import outbox
from mail.models import OutgoingMail

_numbers = count(1)


def make_mail(*, to: str = "bob@example.com", note: str = "", **fields: object) -> OutgoingMail:
    """Write a mail into the outbox as if its cause had just happened; `fields` overwrite the row's columns."""
    key = str(fields.pop("dedup_key", f"test:{next(_numbers)}"))
    context = {"note": note}
    arguments = {name: fields.pop(name) for name in ("attachment", "reply_to", "secret") if name in fields}
    with transaction.atomic():
        mail = outbox.enqueue(
            kind="test", dedup_key=key, to=to, template="mail/email/test", context=context, **arguments
        )
        OutgoingMail.objects.filter(pk=mail.pk).update(**fields)
    mail.refresh_from_db()
    return mail
