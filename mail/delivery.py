"""
Sending what the outbox holds: deliver() sends one mail, sweep() finds the forgotten.

SMTP cannot be exactly-once: a process killed between the server's "250" and our commit leaves a row that is sent
again. Both copies carry the same Message-ID, which is fixed when the row is written. A sender that lives is never
doubled: it renews its lease, and asks for it once more before the mail leaves.
"""

import logging
import smtplib
import time
from contextlib import suppress
from datetime import timedelta

from django.core.mail import EmailMultiAlternatives
from django.db import Error, connection, transaction
from django.db.models import F
from django.utils import timezone

from core.jobs.lease import Lease, LostLease, lease_end
from core.stores.databases import is_away

from . import attachments
from .models import MAX_ATTEMPTS, WIPED, OutgoingMail
from .server import connect

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=30)  # then 3, 18 and 108 minutes: what greylisting and a full mailbox ask for
SERVER_PAUSE = timedelta(seconds=5)
NOTE_PAUSES = (0.1, 1, 2, 5, 10)  # seconds: a database that is started again is back within them
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
    mail = _claim(mail_id)
    if mail is None:
        return False
    claimed = OutgoingMail.objects.filter(pk=mail_id, status=Status.SENDING)
    lease = Lease(claimed, mail.lease_until or timezone.now())
    try:
        with lease:
            _send(message(mail), lease)
            _note_sent(mail)
    except LostLease:
        return False
    except ServerAway as error:
        _give_back(lease, error)
        raise
    except Exception as error:  # SMTP, sockets, a PDF that cannot be made: all end as a state of the row
        _note_failure(mail, lease, error)
        return False
    return True


def _claim(mail_id: int) -> OutgoingMail | None:
    claim = {"status": Status.SENDING, "lease_until": lease_end(), "attempts": F("attempts") + 1}
    with transaction.atomic(durable=True):  # proves that the sending happens outside any transaction
        if not OutgoingMail.objects.filter(pk=mail_id).due().update(**claim):
            return None
    return OutgoingMail.objects.get(pk=mail_id)


def _send(letter: EmailMultiAlternatives, lease: Lease) -> None:
    server = connect()
    try:
        server.open()
    except Exception as error:
        raise ServerAway(f"{type(error).__name__}: {error}") from error
    try:
        lease.hold()
        server.send_messages([letter])
    except smtplib.SMTPResponseException as error:
        if isinstance(error, smtplib.SMTPHeloError) or error.smtp_code == CLOSING:
            raise ServerAway(f"{type(error).__name__}: {error}") from error
        raise
    finally:
        with suppress(Exception):  # sent is sent, whatever the server says to our goodbye
            server.close()


def _note_sent(mail: OutgoingMail) -> None:
    """Write down that the server has the mail; a database that is away for a moment must not make it leave twice."""
    sent = {"status": Status.SENT, "sent_at": timezone.now(), "lease_until": None, "error": "", **_wiped(mail)}
    for pause in (*NOTE_PAUSES, None):
        try:
            OutgoingMail.objects.filter(pk=mail.pk).update(**sent)
            return
        except Error as error:
            if pause is None or not is_away(error):
                raise
            connection.close()
            time.sleep(pause)


def _give_back(lease: Lease, error: ServerAway) -> None:
    """Put the mail back as if it had not been tried: however long the server is away, no mail is given up for it."""
    waits = {"status": Status.QUEUED, "lease_until": None, "available_at": timezone.now() + SERVER_PAUSE}
    lease.row.update(**waits, attempts=F("attempts") - 1, error=str(error)[:1000])


def _wiped(mail: OutgoingMail) -> dict[str, str | None]:
    """Return what a finished mail loses: the link in a secret one is a key to somebody's account."""
    return WIPED if mail.is_secret else {}


def message(mail: OutgoingMail) -> EmailMultiAlternatives:
    """Return the mail as Django sends it; makes the attachment, which may take seconds."""
    text, html = mail.opened()
    result = EmailMultiAlternatives(
        subject=mail.subject,
        body=text,
        to=[mail.to],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    if html:
        result.attach_alternative(html, "text/html")
    if mail.attachment:
        result.attach(*attachments.make(mail.attachment))
    return result


def _note_failure(mail: OutgoingMail, lease: Lease, error: Exception) -> None:
    # Only the holder of the lease may write: who lost it was too slow, and another has sent the mail or is sending it.
    row = lease.row
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
    OutgoingMail.objects.given_up().wipe()
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
