"""A column that the database, whoever reads it and its backups hold as ciphertext only."""

import base64
import logging
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.utils.crypto import salted_hmac

log = logging.getLogger(__name__)


SEALED = "gAAAAA"  # how every ciphertext of Fernet begins, and none of our secrets


class Ciphertext(str):
    """What a table holds of a secret: on its way through a backup it is neither opened nor sealed again."""


if TYPE_CHECKING:
    TextField = models.TextField[str | None, str | None]
else:
    TextField = models.TextField  # Django's fields take no type arguments at run time


class SealedField(TextField):
    """
    Text under a key made from SECRET_KEY; it reads as None when neither that nor SECRET_KEY_FALLBACKS fits.

    Nothing can be searched for in it: the same text is another ciphertext each time. `manage.py reseal` writes all of
    them anew under the present key.
    """

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Ciphertext):
            return str(value)
        text = super().get_prep_value(value)
        return None if text is None else _keys().encrypt(text.encode()).decode()

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        if value is None:
            return None
        try:
            return _keys().decrypt(value).decode()
        except InvalidToken:
            log.error("%s cannot be read: it was sealed under another SECRET_KEY", self)
            return None

    def as_stored(self) -> models.Expression:
        """Return the column as the table holds it, for `values()`."""
        return models.ExpressionWrapper(models.F(self.attname), output_field=models.TextField())

    def from_archive(self, value: str | None) -> str | None:
        """Return what restores a value of a backup; those of earlier releases hold some that still have to be sealed."""
        return Ciphertext(value) if value and value.startswith(SEALED) else value


def sealed_fields(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if isinstance(field, SealedField)]


def _keys() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> Fernet:
    digest = salted_hmac("core.stores.sealed", "key", secret=secret, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
