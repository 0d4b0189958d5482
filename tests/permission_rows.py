"""One row of every table, each of its texts another word, so that a page tells by its words which columns it shows."""

import re
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import connection, models
from django.utils import timezone

WORD = re.compile(r"zq\d{4}")

# Where the first choice or the plain value is not what the database, or an action, accepts.
VALUES: dict[str, dict[str, Any]] = {
    "account.User": {"is_active": True, "has_second_factor": True, "is_staff": False, "is_superuser": False},
    "blog.Comment": {"state": "waiting"},
    "blog.Post": {"tag_list": []},
    "cart.Coupon": {"code": "ZQ9999", "percent": None, "valid_to": None, "max_uses": 5},
    "images.Image": {"status": "ready", "same_as": None},
    "mail.OutgoingMail": {"status": "failed", "attachment": ""},
    "orders.Order": {
        "status": "paid",
        "sent_at": None,
        "vat": Decimal(0),
        "discount": Decimal(0),
        "shipping": Decimal(0),
    },
    "orders.VatId": {"is_refused": False},
    "orders.Withdrawal": {"handled_at": None},
    "payment.Problem": {"resolved_at": None},
    "payment.WebhookEvent": {"status": "failed"},
    "shop.Product": {"cover": None},
}


class Rows:
    def __init__(self) -> None:
        self.columns: dict[str, str] = {}  # word: "app.Model.column"
        self.of: dict[type[models.Model], models.Model] = {}
        self.others: dict[type[models.Model], models.Model] = {}
        for model in apps.get_models():
            self.row(model)

    def row(self, model: type[models.Model]) -> models.Model:
        if model not in self.of:
            self.of[model] = self._make(model)
        return self.of[model]

    def other(self, model: type[models.Model]) -> models.Model:
        """Return a second row, where one row points at two of a table."""
        if model not in self.others:
            self.others[model] = self._make(model)
        return self.others[model]

    def _make(self, model: type[models.Model]) -> models.Model:
        label = model._meta.label
        if label in ("contenttypes.ContentType", "auth.Permission"):
            found = model._default_manager.first()
            assert found
            return found
        values: dict[str, Any] = {}
        pointed: set[Any] = set()
        for field in model._meta.concrete_fields:
            if field.name in VALUES.get(label, {}):
                values[field.name] = VALUES[label][field.name]
            elif isinstance(field, models.AutoField) or field.generated:
                continue
            elif field.is_relation:
                target = field.remote_field.model
                if target is model:
                    continue
                values[field.name] = self.other(target) if target in pointed else self.row(target)
                pointed.add(target)
            else:
                values[field.name] = self._value(model, field)
        row = model(**values)
        model._base_manager.bulk_create([row])  # as they are: without what save() would add or refuse
        return row if row.pk else model._base_manager.get()

    def _value(self, model: type[models.Model], field: Any) -> Any:
        if field.choices and not isinstance(field, models.BooleanField):
            return field.choices[0][0] if not field.has_default() else field.get_default()
        if isinstance(field, models.FileField):
            return ""
        if isinstance(field, models.CharField | models.TextField):
            return self._text(model, field)
        plain = {
            models.DateTimeField: timezone.now, models.DateField: date.today, models.UUIDField: uuid4,
            models.JSONField: lambda: {"n": self._text(model, field)}, models.BooleanField: partial(bool, field.has_default() and field.get_default()),
            models.DecimalField: partial(Decimal, 1), models.GenericIPAddressField: partial(str, "192.0.2.1"),
        }  # fmt: skip
        return next((make() for kind, make in plain.items() if isinstance(field, kind)), 1)

    def _text(self, model: type[models.Model], field: Any) -> str:
        if field.max_length and field.max_length < 6:
            return {2: "DE", 3: "EUR"}.get(field.max_length, "x")
        word = f"zq{len(self.columns):04}"
        self.columns[word] = f"{model._meta.label}.{field.name}"
        return f"{word}@example.com" if isinstance(field, models.EmailField) else word

    def shown(self, page: str) -> set[str]:
        """Return the columns whose words stand in the page."""
        return {self.columns[word] for word in WORD.findall(page) if word in self.columns}


def everything(*tables: Any) -> dict[str, list[Any]]:
    """Return what each column of each table (or of these) holds, to be compared with later; in SQL, for it is asked often."""
    found = {}
    with connection.cursor() as cursor:
        for model in tables or apps.get_models(include_auto_created=True):
            fields = model._meta.concrete_fields
            columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
            key = connection.ops.quote_name(model._meta.pk.column)
            cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(model._meta.db_table)} ORDER BY {key}")
            rows = cursor.fetchall()
            found |= {f"{model._meta.label}.{f.attname}": [row[n] for row in rows] for n, f in enumerate(fields)}
    return found
