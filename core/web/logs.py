"""
Log lines, as text or as JSON, that carry the id of the request they belong to, in the worker too.

The id comes from the proxy or is made (core/web/middleware.py), and goes with every task that a request starts: in a
header of the message (Celery) or beside it in the queue (core/jobs/background.py). Addresses of people and passwords in
URLs are taken out of every line, whoever wrote it; a request is told by its view and route: a path may be a secret.
"""

import logging
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

from pythonjsonlogger.json import JsonFormatter as LinesOfJson

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]+@(?=[\w-]+\.[\w.-])")  # from a word's begin, or a long one takes seconds
LOGIN = re.compile(r"(?<=://)[^\s/@]+@")


def id_from(given: str) -> str:
    """Return the id that a proxy has given if it is sane, or a new one."""
    return given if SANE_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


@contextmanager
def belonging_to(request_id: str) -> Iterator[None]:
    token = current_request_id.set(request_id)
    try:
        yield
    finally:
        current_request_id.reset(token)


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        # Django's own line about an error is written when the request is over.
        record.request_id = getattr(request, "id", None) or current_request_id.get()
        if getattr(record, "status_code", None) == HTTPStatus.FORBIDDEN:
            record.exc_info = None  # a refusal is no fault of ours, and anybody could fill the log with its traceback
        if isinstance(record.args, tuple) and (path := getattr(request, "path", "")):
            record.args = tuple(route_of(request) if value == path else value for value in record.args)
        return True


def route_of(request: Any) -> str:
    """Return "orders/<str:token>/" instead of the path; where no route fits there is no secret either."""
    return f"/{request.resolver_match.route}" if request.resolver_match else request.path


def discreet(text: str) -> str:
    return ADDRESS.sub("…@", LOGIN.sub("…@", text))


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))


class JsonFormatter(LinesOfJson):
    """
    One JSON object a line; newlines are escaped, so a message cannot forge a second line.

    Of what hangs on a record only `fields` is told: Django hangs the request there, whose path may be a secret.
    """

    TOLD = ("at", "level", "logger", "request_id", "message", "exception")

    def __init__(self) -> None:
        told, missing = ["levelname", "name", "message"], {"request_id": "-"}
        ours = {"levelname": "level", "name": "logger", "exc_info": "exception"}
        super().__init__(told, rename_fields=ours, defaults=missing, timestamp="at", json_ensure_ascii=False)

    def format(self, record: logging.LogRecord) -> str:
        record.msg = str(record.msg)  # a dict would be told as fields, and so not at all
        return super().format(record)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        told = {name: log_data[name] for name in self.TOLD if name in log_data} | log_data.get("fields", {})
        return {name: discreet(value) if isinstance(value, str) else value for name, value in told.items()}


def logging_in(form: str, *, level: str) -> dict[str, Any]:
    """Return what LOGGING says: one line to the console for each event, as "text" or "json"."""
    text = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}},
        "formatters": {"text": {"()": TextFormatter, "format": text}, "json": {"()": JsonFormatter}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form, "filters": ["request_id"]}},
        "loggers": {
            # Both tell every step of making a PDF.
            "weasyprint": quiet,
            "fontTools": quiet,
            "stripe": quiet,
            "config.requests": {"level": "INFO" if form == "json" else "WARNING"},
        },
        "root": {"handlers": ["console"], "level": level},
    }
