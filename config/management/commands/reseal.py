from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config.sealed import sealed_fields


class Command(BaseCommand):
    help = "Writes every sealed secret anew under the present SECRET_KEY, before SECRET_KEY_FALLBACKS is emptied."

    def handle(self, *args: Any, **options: Any) -> None:
        written = unreadable = 0
        for model in apps.get_models():
            names = sealed_fields(model)
            for pk in model._default_manager.values_list("pk", flat=True) if names else ():
                if reseal(model, pk, names):
                    written += 1
                else:
                    unreadable += 1
        self.stdout.write(f"{written} rows sealed under the present SECRET_KEY.")
        if unreadable:
            raise CommandError(
                f"{unreadable} rows were sealed under a key that is neither SECRET_KEY nor in SECRET_KEY_FALLBACKS, "
                "and stay as they are. Put that key into SECRET_KEY_FALLBACKS and run this again."
            )


def reseal(model: Any, pk: Any, names: list[str]) -> bool:
    """Write the row's secrets anew; False when they cannot be read, as rows that have gone meanwhile can."""
    with transaction.atomic():
        row = model._default_manager.select_for_update(of=("self",)).filter(pk=pk).only("pk", *names).first()
        if row is None:
            return True
        if None in (getattr(row, name) for name in names):
            return False
        model._default_manager.filter(pk=pk).update(**{name: getattr(row, name) for name in names})
    return True
