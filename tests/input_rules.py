"""
What each form takes, as docs/input.md says it; `python -m tests.input_rules` writes the document anew.

Read from the forms themselves, which are what judges; config/tests and the apps' tests say how each refuses.
"""

import importlib
import inspect
import os
from collections.abc import Iterator
from pathlib import Path

import django
from django import forms
from django.apps import apps
from django.conf import settings
from django.core import validators
from django.utils.module_loading import module_has_submodule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test_settings")
DOCUMENT = settings.BASE_DIR / "docs/input.md"
HEAD = """# What forms take

Written by `python -m tests.input_rules` out of the forms, and held to them by `tests/test_input_rules.py`. Whatever is not
named is ignored. Texts are UTF-8 without control characters; what stands in a path or a query is converted by Django, and
what does not fit is a 404. What staff type in the admin is bounded by the models' fields. The limits of a request's size are in `core/serving/intake.py`, those of how often in the views
(`@limited`), those of pictures in `content/pictures.py`, those between fields in the `clean()` of each form.

| form | field | kind | rules |
| --- | --- | --- | --- |
"""
LIMITS = {
    validators.MinLengthValidator: "at least {} characters",
    validators.MaxLengthValidator: "at most {} characters",
    validators.MinValueValidator: "at least {}",
    validators.MaxValueValidator: "at most {}",
}
# Said by the kind of the field, by its pattern, or of every text.
UNNAMED = {*LIMITS, validators.RegexValidator, validators.EmailValidator, validators.ProhibitNullCharactersValidator}


def all_forms() -> Iterator[type[forms.BaseForm]]:
    for app in apps.get_app_configs():
        if Path(app.path).parent == settings.BASE_DIR and module_has_submodule(app.module, "forms"):
            module = importlib.import_module(f"{app.name}.forms")
            for _name, found in inspect.getmembers(module, inspect.isclass):
                if issubclass(found, forms.BaseForm) and found.__module__ == module.__name__ and found.base_fields:
                    yield found


def rules_of(field: forms.Field) -> str:
    limits = [
        words.format(validator.limit_value() if callable(validator.limit_value) else validator.limit_value)
        for validator in field.validators
        for kind, words in LIMITS.items()
        if type(validator) is kind
    ]
    pattern = getattr(getattr(field, "regex", None), "pattern", "")
    others = sorted({_name(each) for each in field.validators if type(each) not in UNNAMED})
    parts = ["required" if field.required else "may be empty", *limits, *(f"`{name}`" for name in others)]
    return ", ".join([*parts, *([f"`{pattern}`"] if pattern else [])]).replace("|", "\\|")


def _name(thing: object) -> str:
    return getattr(thing, "__name__", type(thing).__name__)


def document() -> str:
    rows = [
        f"| `{form.__module__}.{form.__name__}` | {name} | {type(field).__name__} | {rules_of(field)} |"
        for form in all_forms()
        for name, field in form.base_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    django.setup()
    DOCUMENT.write_text(document())
