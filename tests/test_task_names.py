"""Tasks are started by name (core/jobs/background.py): each name in the source and in the settings is a task's."""

import ast
import inspect
import re

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from config.celery import FORMER_NAMES
from tests.import_graph import production

STARTS = {"delay", "delay_on_commit"}
LOOKS_LIKE_ONE = re.compile(r"[a-z_]+\.tasks\.\w+")


def is_task(name):
    try:
        return import_string(name).name == name
    except (ImportError, AttributeError):
        return False


def texts(tree):
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def starts(tree):
    """Return the calls that start a task: by `delay(…)` or `background.delay(…)`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).rpartition(".")[2] in STARTS]


def fits(call):
    """Tell whether the call names a task and gives it as many arguments as it takes."""
    name, *arguments = call.args
    if not (isinstance(name, ast.Constant) and is_task(name.value)):
        return False
    try:
        inspect.signature(import_string(name.value).run).bind(*arguments)
    except TypeError:
        return False
    return True


def strangers(tree):
    calls = [f"line {call.lineno}: {ast.unparse(call)}" for call in starts(tree) if not fits(call)]
    return calls + [text for text in texts(tree) if LOOKS_LIKE_ONE.fullmatch(text) and not is_task(text)]


def test_every_name_in_the_source_is_a_tasks():
    modules = production().files.keys() - {"core.jobs.background"}  # which hands the names on
    found = {name: strangers(production().tree(name)) for name in modules}

    assert {name: wrong for name, wrong in found.items() if wrong} == {"config.celery": list(FORMER_NAMES)}


def test_every_name_in_the_settings_is_a_tasks():
    named = {*settings.SWEEPS, *settings.CELERY_TASK_ROUTES, *FORMER_NAMES.values()}
    sent = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert [name for name in named | sent if not is_task(name)] == []


@pytest.mark.parametrize(
    "source",
    [
        'delay_on_commit("payment.tasks.proces_event", event.pk)',
        'background.delay("payment.task.process_event", event.pk)',
        'delay_on_commit("payment.webhooks.process", event.pk)',
        'delay_on_commit("payment.tasks.process_event")',
        'delay_on_commit("payment.tasks.sweep_payments", 1)',
        "delay(name, event.pk)",
        'SWEEPS = {"payment.tasks.sweep_payment": 15}',
        'ROUTES = {"pictures.tasks.fetch_picture": QUEUE}',
    ],
)
def test_a_wrong_name_is_found(source):
    assert strangers(ast.parse(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        'delay_on_commit("payment.tasks.process_event", event.pk)',
        'background.delay("payment.tasks.sweep_payments")',
        'SWEEPS = {"payment.tasks.sweep_payments": 15}',
    ],
)
def test_a_right_one_is_not(source):
    assert strangers(ast.parse(source)) == []
