from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.stores.sealed import sealed_fields


class Command(BaseCommand):
    help = "Writes every sealed secret anew under the present SECRET_KEY, before SECRET_KEY_FALLBACKS is emptied."

    def handle(self, *args: Any, **options: Any) -> None:
        written = unreadable = 0
        for model in apps.get_models():
            for name in sealed_fields(model):
                for pk in model._default_manager.exclude(**{name: None}).values_list("pk", flat=True):
                    if reseal(model, pk, name):
                        written += 1
                    else:
                        unreadable += 1
        self.stdout.write(f"{written} secrets sealed under the present SECRET_KEY.")
        if unreadable:
            raise CommandError(
                f"{unreadable} secrets were sealed under a key that is neither SECRET_KEY nor in SECRET_KEY_FALLBACKS, "
                "and stay as they are. Put that key into SECRET_KEY_FALLBACKS and run this again."
            )


def reseal(model: Any, pk: Any, name: str) -> bool:
    """Write the row's secret anew; False when it cannot be read, while one that has gone meanwhile is none to miss."""
    with transaction.atomic():
        rows = model._default_manager.exclude(**{name: None}).filter(pk=pk)
        row = rows.select_for_update(of=("self",)).only("pk", name).first()
        if row is None:
            return True
        secret = getattr(row, name)
        if secret is not None:
            rows.update(**{name: secret})
    return secret is not None
