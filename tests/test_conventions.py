"""The rules of CONTRIBUTING.md that a machine can check. Each test lists the offenders."""

import inspect
import re

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.urls import URLResolver, get_resolver
from django.utils.module_loading import import_string

OUR_APPS = (
    "core",
    "account",
    "actions",
    "blog",
    "cart",
    "demo",
    "images",
    "mail",
    "orders",
    "payment",
    "search",
    "shop",
)
OUR_MODELS = [model for name in OUR_APPS for model in apps.get_app_config(name).get_models()]
TEMPLATES = settings.BASE_DIR / "templates"

# --- Models --------------------------------------------------------------------------------------------------------

MOMENT = re.compile(r"_(at|from|until|to)$")  # when it happened; since when, how long it holds
DAY = re.compile(r"_on$|^date_of_")
STATEMENT = re.compile(r"^(is|has|was|may|wants|holds)_|^restocks$")
NOT_IN_THE_ADMIN = {
    "account.Registration": "nobody's yet; gone in three days, and in the log of mails what was written to whom",
    "account.Session": "people see and end their own; a list of everybody's helps nobody but a thief",
    "account.Tries": "numbers that are of use for an hour",
    "demo.DemoContent": "where the demo ends, until it is removed",
    "blog.PostTag": "the tags of a post, edited in its form",
}
# Django's names for a user and a session, Stripe's for an event.
FOREIGN_FIELDS = {"last_login", "date_joined", "expire_date", "livemode"}


def badly_named(kind, rule):
    return [
        f"{model._meta.label}.{field.name}"
        for model in OUR_MODELS
        for field in model._meta.local_fields
        if type(field) is kind and field.name not in FOREIGN_FIELDS and not rule.search(field.name)
    ]


def test_moments_days_and_statements_are_named_as_such():
    assert badly_named(models.DateTimeField, MOMENT) == []
    assert badly_named(models.DateField, DAY) == []
    assert badly_named(models.BooleanField, STATEMENT) == []


def test_every_model_is_in_the_admin():
    shown = {inline.model for site in admin.site._registry.values() for inline in site.inlines}

    missing = [model._meta.label for model in OUR_MODELS if model not in admin.site._registry and model not in shown]

    assert [label for label in missing if label not in NOT_IN_THE_ADMIN] == []


# --- One name for address, view and template -----------------------------------------------------------------------

# Pages that no address of their own leads to, and why.
WITHOUT_ADDRESS = {
    "account/recovery_codes": "the answer that shows them, once",
    "mail/base": "what HTML mails extend",
    "orders/invoice": "drawn into the PDF",
    "payment/unavailable": "the answer while Stripe is away",
}


def our_addresses(resolver=None):
    """Return (app, URL name, view) for every address of ours."""
    found = []
    for pattern in (resolver or get_resolver("config.urls")).url_patterns:
        if isinstance(pattern, URLResolver):
            found += our_addresses(pattern)
        elif (view := inspect.unwrap(pattern.callback)).__module__.partition(".")[0] in OUR_APPS:
            found.append((view.__module__.partition(".")[0], pattern.name, view))
    return found


def test_view_and_address_share_a_name():
    different = [
        f"{app}:{name} is {view.__name__}()"
        for app, name, view in our_addresses()
        if inspect.isfunction(view) and view.__name__ not in (name, name.partition("_by_")[0])
    ]

    assert different == []


def test_page_templates_are_named_as_their_address():
    addresses = {f"{app}/{name}" for app, name, _ in our_addresses()}
    pages = {
        f"{app}/{path.stem}"
        for app in OUR_APPS
        for path in (TEMPLATES / app).glob("*.html")
        if not path.name.startswith("_")
    }

    assert sorted(pages - addresses - WITHOUT_ADDRESS.keys()) == []


# --- Templates -----------------------------------------------------------------------------------------------------

# The content security policy forbids both, so a browser would ignore them. Mail programs and the PDF know no policy.
INLINE = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)(?![^>]*application/(ld\+)?json)", re.IGNORECASE
)
NOT_FOR_BROWSERS = re.compile(r"/email/|^mail/base|^orders/invoice")


def test_no_style_or_script_stands_in_a_template():
    browser_templates = {str(path.relative_to(TEMPLATES)): path.read_text() for path in TEMPLATES.rglob("*.html")}

    offenders = {
        name: found.group()
        for name, source in browser_templates.items()
        if not NOT_FOR_BROWSERS.search(name) and (found := INLINE.search(source))
    }

    assert offenders == {}


# --- Settings ------------------------------------------------------------------------------------------------------


def names(pattern, *files):
    return {
        name for file in files for name in re.findall(pattern, (settings.BASE_DIR / file).read_text(), re.MULTILINE)
    }


def test_every_variable_read_is_documented_and_every_documented_one_is_read():
    documented = names(r"^#?([A-Z][A-Z0-9_]+)=", ".env.example")
    read = names(r'\benv\(\s*"([A-Z0-9_]+)"', "config/settings.py")
    composed = names(r"\$\{([A-Z0-9_]+)", "docker-compose.yml")

    assert documented == read | composed


def test_a_sweep_is_a_task_that_needs_no_arguments():
    for name in settings.SWEEPS:
        inspect.signature(import_string(name).run).bind()


# --- One place for each kind of thing ------------------------------------------------------------------------------


def modules_that_call(function):
    called = re.compile(rf"(?<![\w.])(?:outbox\.)?{function}\(")
    for name in OUR_APPS:
        for path in (settings.BASE_DIR / name).rglob("*.py"):
            if not {"tests", "migrations", "commands"} & set(path.parts) and called.search(path.read_text()):
                yield str(path.relative_to(settings.BASE_DIR))


def test_every_app_writes_its_mails_in_one_module():
    assert [path for path in modules_that_call("enqueue") if not re.search(r"^mail/|/mails\.py$", path)] == []


def test_every_app_says_what_is_searched_in_one_module():
    assert [path for path in modules_that_call("Entry") if not re.search(r"^search/|/documents\.py$", path)] == []
