"""
Sending what the outbox holds: deliver() sends one mail, sweep() finds the forgotten.

SMTP cannot be exactly-once: a process killed between the server's "250" and our commit leaves a row that is sent
again. Both copies carry the same Message-ID, which is fixed when the row is written.
"""

import logging
import smtplib
import time
from contextlib import suppress
from datetime import timedelta

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from . import attachments
from .models import MAX_ATTEMPTS, OutgoingMail

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # longer than the hard limit of a Celery task, so that a living sender is never doubled
FIRST_PAUSE = timedelta(seconds=30)  # then 3, 18 and 108 minutes: what greylisting and a full mailbox ask for
SERVER_PAUSE = timedelta(seconds=5)
SECONDS_PER_SWEEP = 45
CLOSING = 421  # "service not available", which may come instead of any answer
Status = OutgoingMail.Status


class ServerAway(Exception):
    """Raised when the mail server takes nobody's mail: refuses us, hangs, has another password or a bad certificate."""


def deliver(mail_id: int) -> bool:
    """Send the mail if it is due and nobody else is sending it; return whether this call sent it."""
    try:
        return _deliver(mail_id)
    except ServerAway as error:
        logger.warning("The mail server is away: %s", error)
        return False


def _deliver(mail_id: int) -> bool:
    lease_until = timezone.now() + LEASE
    with transaction.atomic(durable=True):  # proves that the sending below happens outside any transaction
        claim = {"status": Status.SENDING, "lease_until": lease_until, "attempts": F("attempts") + 1}
        if not OutgoingMail.objects.filter(pk=mail_id).due().update(**claim):
            return False
    mail = OutgoingMail.objects.get(pk=mail_id)
    try:
        _send(message(mail))
    except ServerAway as error:
        _give_back(mail, error)
        raise
    except Exception as error:  # SMTP, sockets, a PDF that cannot be made: all end as a state of the row
        _note_failure(mail, error)
        return False
    sent = {"status": Status.SENT, "sent_at": timezone.now(), "lease_until": None, "error": ""}
    OutgoingMail.objects.filter(pk=mail_id).update(**sent, **_wiped(mail))
    return True


def _send(letter: EmailMultiAlternatives) -> None:
    letter.connection = connection = get_connection()
    try:
        connection.open()
    except Exception as error:
        raise ServerAway(f"{type(error).__name__}: {error}") from error
    try:
        letter.send()
    except smtplib.SMTPResponseException as error:
        if isinstance(error, smtplib.SMTPHeloError) or error.smtp_code == CLOSING:
            raise ServerAway(f"{type(error).__name__}: {error}") from error
        raise
    finally:
        with suppress(Exception):  # sent is sent, whatever the server says to our goodbye
            connection.close()


def _give_back(mail: OutgoingMail, error: ServerAway) -> None:
    """Put the mail back as if it had not been tried: however long the server is away, no mail is given up for it."""
    row = OutgoingMail.objects.filter(pk=mail.pk, status=Status.SENDING, lease_until=mail.lease_until)
    waits = {"status": Status.QUEUED, "lease_until": None, "available_at": timezone.now() + SERVER_PAUSE}
    row.update(**waits, attempts=F("attempts") - 1, error=str(error)[:1000])


def _wiped(mail: OutgoingMail) -> dict[str, str]:
    """Return what a finished mail loses: the link in a secret one is a key to somebody's account."""
    return {"text": "", "html": ""} if mail.is_secret else {}


def message(mail: OutgoingMail) -> EmailMultiAlternatives:
    """Return the mail as Django sends it; makes the attachment, which may take seconds."""
    result = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[mail.to],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    if mail.html:
        result.attach_alternative(mail.html, "text/html")
    if mail.attachment:
        result.attach(*attachments.make(mail.attachment))
    return result


def _note_failure(mail: OutgoingMail, error: Exception) -> None:
    # Only the holder of the lease may write: who lost it was too slow, and another has sent the mail or is sending it.
    row = OutgoingMail.objects.filter(pk=mail.pk, status=Status.SENDING, lease_until=mail.lease_until)
    text = f"{type(error).__name__}: {error}"[:1000]
    if is_lasting(error) or mail.attempts >= MAX_ATTEMPTS:
        row.update(status=Status.FAILED, lease_until=None, error=text, **_wiped(mail))
        logger.error("Mail %s (%s) has failed for good after %s attempts: %s", mail.pk, mail.kind, mail.attempts, text)
        return
    available_at = timezone.now() + FIRST_PAUSE * 6 ** (mail.attempts - 1)
    row.update(status=Status.QUEUED, lease_until=None, available_at=available_at, error=text)
    logger.warning("Mail %s (%s) waits for attempt %s: %s", mail.pk, mail.kind, mail.attempts + 1, text)


def is_lasting(error: Exception) -> bool:
    """Return whether the mail server refused this mail for good (5xx); wrong credentials are ours to mend, not its."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        return False
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def sweep() -> int:
    """Send what is due and was forgotten, for 45 seconds at most; return how many were sent."""
    OutgoingMail.objects.given_up().update(
        status=Status.FAILED, lease_until=None, error="The process died during every attempt."
    )
    until = time.monotonic() + SECONDS_PER_SWEEP
    sent = 0
    for mail_id in OutgoingMail.objects.due().order_by("available_at").values_list("pk", flat=True)[:1000]:
        try:
            sent += _deliver(mail_id)
        except ServerAway as error:
            logger.warning("The mail server is away, the rest waits: %s", error)
            break
        except Exception:
            logger.exception("Mail %s could not be looked at", mail_id)
        if time.monotonic() > until:
            break
    return sent
