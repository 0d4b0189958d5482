from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.emailurl import email_settings

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
    assert email_settings(url, folder=FOLDER) == {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": starttls,
        "EMAIL_USE_SSL": tls,
    }


def test_mail_becomes_files_where_nothing_is_set():
    assert email_settings("", folder=FOLDER)["EMAIL_FILE_PATH"] == "/var/mail"
    assert email_settings("file:///srv/my%20mail", folder=FOLDER)["EMAIL_FILE_PATH"] == "/srv/my mail"


def test_mail_can_be_printed():
    assert email_settings("console:", folder=FOLDER)["EMAIL_BACKEND"].endswith("console.EmailBackend")


@pytest.mark.parametrize(
    "url", ["mail.example:25", "http://mail.example", "smtp://", "smtp:mail.example", "file:", "bob"]
)
def test_address_that_makes_no_sense_stops_the_process(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        email_settings(url, folder=FOLDER)
