"""The outbox: mails as rows, written in the transaction that causes them (delivery.py sends them)."""

import re
from email.utils import parseaddr
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.template import Context, TemplateDoesNotExist, engines
from django.utils import timezone
from django.utils.crypto import salted_hmac

from content.plaintext import without_unseen
from core.jobs import background, transactions

from .delivery import deliver
from .models import OutgoingMail, OutgoingMailQuerySet

__all__ = ["NotAnAddress", "deliver", "enqueue", "retry", "send_again"]

KEY_LENGTH = 180  # leaves room for what send_again() adds
Status = OutgoingMail.Status


class NotAnAddress(ValueError):
    """Raised for a recipient that is not exactly one e-mail address; forms should have refused it before."""


def enqueue(
    *,
    kind: str,
    dedup_key: str,
    to: str,
    template: str,
    context: dict[str, Any],
    attachment: str = "",
    reply_to: str = "",
    secret: bool = False,
) -> OutgoingMail:
    """
    Write the mail now and send it after the transaction; the same `dedup_key` again returns the first row.

    `template` names `<template>.subject.txt`, `<template>.body.txt` and, if it exists, `<template>.body.html`.
    `attachment` is a reference such as "invoice:12" (attachments.py). `secret` mails hold a link by which whoever has it
    acts as somebody else: staff cannot read them, they wait sealed, and they are wiped once sent. Raises NotAnAddress, and
    TransactionManagementError outside `atomic()`, where the mail could outlive the act that caused it.
    """
    transactions.require("A mail")
    dedup_key = _kept_key(kind, dedup_key, secret=secret)
    mail = OutgoingMail(
        kind=kind,
        dedup_key=dedup_key,
        to=_address(to),
        reply_to=_address(reply_to) if reply_to else "",
        attachment=attachment,
        is_secret=secret,
        message_id=_message_id(dedup_key),
        **_rendered(template, context),
    )
    if secret:
        mail.seal()
    try:
        with transaction.atomic():  # nearly always new: written without asking first
            mail.save()
    except IntegrityError:
        return OutgoingMail.objects.get(dedup_key=dedup_key)
    background.delay_on_commit("mail.tasks.deliver_mail", mail.pk)
    return mail


def _address(text: str) -> str:
    name_and_address = re.fullmatch(r"[^<>@,\r\n]*<([^<>]+)>", text.strip())
    address = parseaddr(text)[1] if name_and_address else text.strip()
    try:
        validate_email(address)
    except ValidationError as error:
        raise NotAnAddress(f"{text!r} is not one e-mail address") from error
    if len(address) > 254:
        raise NotAnAddress(f"{text[:40]!r}... is too long for an e-mail address")
    return address


def _kept_key(kind: str, dedup_key: str, *, secret: bool) -> str:
    """Return the key, or its hash where it is too long for the column or may hold the link's own token."""
    if secret or len(dedup_key) > KEY_LENGTH:
        return f"{kind}:{sha256(dedup_key.encode()).hexdigest()}"
    return dedup_key


def _message_id(dedup_key: str) -> str:
    # Made from the key, so that even a row written anew after a restored backup is the same message to its reader.
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<outbox-{salted_hmac('mail.outbox', dedup_key, algorithm='sha256').hexdigest()[:40]}@{host}>"


def _rendered(template: str, context: dict[str, Any]) -> dict[str, str]:
    context = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL, **context}
    subject = without_unseen(_render(f"{template}.subject.txt", context))
    fields = {
        "subject": " ".join(re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", subject).split())[:200],
        "text": _render(f"{template}.body.txt", context),
    }
    try:
        fields["html"] = _render(f"{template}.body.html", {**context, "subject": fields["subject"]})
    except TemplateDoesNotExist as error:
        if str(error) != f"{template}.body.html":
            raise
    return fields


def _render(name: str, context: dict[str, Any]) -> str:
    """Render without a request; plain text is not escaped, so that O'Neil & Co stays O'Neil & Co."""
    template = engines["django"].engine.get_template(name)  # type: ignore[attr-defined]
    text: str = template.render(Context(context, autoescape=not name.endswith(".txt")))
    return text.replace("\0", "").strip() + "\n"


def retry(mails: OutgoingMailQuerySet) -> int:
    """Let failed mails start again with all their attempts, but for secret ones, which are wiped; return how many."""
    ids = list(mails.filter(status=Status.FAILED, is_secret=False).values_list("pk", flat=True))
    with transaction.atomic():
        OutgoingMail.objects.filter(pk__in=ids, status=Status.FAILED).update(
            status=Status.QUEUED, attempts=0, available_at=timezone.now()
        )
        for mail_id in ids:
            background.delay_on_commit("mail.tasks.deliver_mail", mail_id)
    return len(ids)


def send_again(mail: OutgoingMail) -> OutgoingMail:
    """Write a copy of a sent mail as a message of its own. Raises ValueError for a secret one, which is wiped."""
    if mail.is_secret:
        raise ValueError("A secret mail cannot be sent again: its text is gone.")
    first_key = mail.dedup_key.partition("#")[0]
    with transaction.atomic():
        copies = OutgoingMail.objects.filter(dedup_key__startswith=f"{first_key}#").count()
        key = f"{first_key}#{copies + 2}"
        fields = ("kind", "to", "reply_to", "subject", "text", "html", "attachment")
        copy, _ = OutgoingMail.objects.get_or_create(
            dedup_key=key,
            defaults={"message_id": _message_id(key), **{name: getattr(mail, name) for name in fields}},
        )
        background.delay_on_commit("mail.tasks.deliver_mail", copy.pk)
    return copy
