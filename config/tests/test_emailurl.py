from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.emailurl import mailer

FOLDER = Path("/var/mail")


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "starttls", "tls"),
    [
        ("smtp://mail.example", "mail.example", 25, "", "", False, False),
        ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, "", "", False, False),
        ("smtp+tls://bob:s3cret@mail.example", "mail.example", 587, "bob", "s3cret", True, False),
        (
            "smtps://bob%40shop.example:p%2Fa%3Ab@mail.example:465",
            "mail.example",
            465,
            "bob@shop.example",
            "p/a:b",
            False,
            True,
        ),
    ],
)
def test_smtp_address_becomes_settings(url, host, port, user, password, starttls, tls):
    assert mailer(url, folder=FOLDER) == {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            **{"host": host, "port": port, "username": user, "password": password},
            **{"use_tls": starttls, "use_ssl": tls, "timeout": 10},
        },
    }


def test_mail_becomes_files_where_nothing_is_set():
    assert mailer("", folder=FOLDER)["OPTIONS"]["folder"] == "/var/mail"
    assert mailer("file:///srv/my%20mail", folder=FOLDER)["OPTIONS"]["folder"] == "/srv/my mail"


def test_mail_can_be_printed():
    assert mailer("console:", folder=FOLDER)["BACKEND"].endswith("console.EmailBackend")


@pytest.mark.parametrize(
    "url", ["mail.example:25", "http://mail.example", "smtp://", "smtp:mail.example", "file:", "bob"]
)
def test_address_that_makes_no_sense_stops_the_process(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        mailer(url, folder=FOLDER)
