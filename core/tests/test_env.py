"""A setting that makes no sense is named in a sentence, by every program that reads it."""

import sys
import textwrap

import decouple
import pytest
from django.core.exceptions import ImproperlyConfigured

from config.emailurl import mailer
from core import env
from tests import processes


@pytest.mark.parametrize(
    ("cast", "bad"),
    [
        (env.flag, "maybe"),
        (env.natural, "two"),
        (env.natural, "-1"),
        (env.natural, "²"),
        (env.positive, "0"),
        (env.positive, "nan"),
        (env.positive, "a week"),
        (env.time_zone, "Mars/City"),
        (env.time_zone, "/etc/passwd"),
        (env.time_zone, ""),
        (env.country, "Germany"),
        (env.country, "XX"),
        (env.mailbox, "the office"),
        (env.web_address, "example.com"),
        (env.web_address, "https://"),
        (env.web_address, "https://example.com/shop"),
        (env.web_address, "https://example.com:port"),
        (env.folder_address, "cdn.example.com"),
        (env.service("redis://host:6379/0"), "localhost"),
        (env.service("redis://host:6379/0"), "redis://"),
        (env.service("redis://host:6379/0"), "redis://host:port"),
        (env.service("amqp://user:password@host:5672//"), "amqp://one//;two"),
        (env.database, "garbage"),
        (env.database, "mysql://host/name"),
        (env.one_of("text", "json"), "xml"),
    ],
)
def test_a_bad_value_is_refused_with_the_name_of_its_setting(monkeypatch, cast, bad):
    monkeypatch.setenv("THE_SETTING", bad)
    with pytest.raises(ImproperlyConfigured, match=r"^THE_SETTING must be "):
        env.env("THE_SETTING", cast=cast)


@pytest.mark.parametrize(
    ("cast", "text", "value"),
    [
        (env.flag, "Yes", True),
        (env.flag, "", False),
        (env.natural, "2", 2),
        (env.positive, "0.5", 0.5),
        (env.time_zone, "Europe/Berlin", "Europe/Berlin"),
        (env.country, "de", "DE"),
        (env.web_address, "https://example.com/", "https://example.com"),
        (env.folder_address, "https://cdn.example.com", "https://cdn.example.com/"),
        (env.service("redis://host:6379/0"), "rediss://u:p@host:6380/1", "rediss://u:p@host:6380/1"),
        (env.service("redis://host:6379/0"), "", ""),
        (env.database, "", ""),
        (env.one_of("text", "json"), "JSON", "json"),
        (env.optional(env.mailbox), "", ""),
    ],
)
def test_a_good_value_is_taken(monkeypatch, cast, text, value):
    monkeypatch.setenv("THE_SETTING", text)
    assert env.env("THE_SETTING", cast=cast) == value


def test_a_password_in_a_bad_address_is_not_repeated(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "http://:secret@host")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.env("REDIS_URL", cast=env.service("redis://host:6379/0"))
    assert "secret" not in str(refused.value)


def test_a_file_in_another_encoding_is_named(monkeypatch, tmp_path):
    (tmp_path / ".env").write_bytes("SITE_NAME=Müller".encode("latin-1"))
    monkeypatch.setattr(env, "config", decouple.AutoConfig(tmp_path))
    with pytest.raises(ImproperlyConfigured, match=r"\.env is not UTF-8"):
        env.env("SITE_NAME")


def test_a_mail_server_whose_port_is_no_number_is_refused(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must be"):
        mailer("smtp://host:port", folder=tmp_path)


def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(ImproperlyConfigured, match="See VAR_DIR"):
        env.own_folder(env.Path("/proc/nowhere"))


def test_a_new_folder_is_closed_to_other_users_of_the_machine(tmp_path):
    assert env.own_folder(tmp_path / "var").stat().st_mode & 0o777 == 0o700


@pytest.mark.django_db
@pytest.mark.parametrize("variable", ["DEBUG", "PROXY_COUNT", "SITE_URL", "DATABASE_URL", "TIME_ZONE"])
def test_commands_end_with_the_sentence_alone(variable):
    done = processes.run("check", **{variable: "nonsense"})

    assert done.returncode == 1
    assert done.stderr.startswith(f"{variable} must be ")
    assert "Traceback" not in done.stderr


@pytest.mark.django_db
def test_make_run_ends_with_the_sentence_alone():
    code = textwrap.dedent(
        """
        import sys
        from tools import run
        sys.argv = ["run", "--port", "0"]
        sys.exit(run.main())
        """
    )
    env = processes.environment(TIME_ZONE="Mars/City", STRIPE_SECRET_KEY="sk_test_x")
    done = processes.subprocess.run(
        [sys.executable, "-c", code], cwd=processes.ROOT, env=env, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "TIME_ZONE must be a time zone such as Europe/Berlin" in done.stdout
    assert "Traceback" not in done.stderr
