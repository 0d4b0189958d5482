"""A site configured to be unsafe does not start, and says what to change."""

import os
import subprocess

import pytest

from tests import processes

PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "long-enough-and-random-enough-to-be-checked-but-no-secret-5pQ8",
    "SITE_URL": "https://atelier.example",
    "ALLOWED_HOSTS": "atelier.example",
    "EMAIL_URL": "smtp+tls://mail.atelier.example:587",
    "STRIPE_SECRET_KEY": "sk_live_check",
    "STRIPE_WEBHOOK_SECRET": "whsec_check",
    "STRIPE_API_BASE": "",
    "FETCH_TEST_ORIGINS": "",  # which the browser tests of this process may have set
    "SELLER_NAME": "Atelier",
    "SELLER_ADDRESS": "1 Street|12345 Town",
}
# What granian does first; it runs no system checks.
SERVE = ["-c", "import config.wsgi"]
CHECK = ["manage.py", "check"]


def start(arguments, tmp_path, **changes):
    """Start a process as an operator would: with the site's own settings, not the tests'."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "VAR_DIR": str(tmp_path), **PRODUCTION, **changes}
    command = [processes.PYTHON, *arguments]
    return subprocess.run(command, cwd=processes.ROOT, env=env, capture_output=True, text=True, check=False)


def test_the_documented_production_settings_start(tmp_path):  # D1
    result = start(SERVE, tmp_path)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": ""}, "Set SECRET_KEY"),
        ({"SECRET_KEY": "development-only-key-refused-when-DEBUG-is-off"}, "Set SECRET_KEY"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:8001"}, "Remove STRIPE_API_BASE"),
        ({"FETCH_TEST_ORIGINS": "127.0.0.1:8399"}, "FETCH_TEST_ORIGINS"),
    ],
    ids=["no key", "development key", "simulator", "fetches from our network"],
)
def test_an_unsafe_setting_stops_the_web_server_with_a_reason(changes, said, tmp_path):  # D59
    result = start(SERVE, tmp_path, **changes)

    assert result.returncode != 0
    assert said in result.stderr


def test_what_a_shop_cannot_do_without_fails_the_check_before_it_is_deployed(tmp_path):
    result = start(CHECK, tmp_path, SELLER_NAME="", STRIPE_WEBHOOK_SECRET="", EMAIL_URL="")

    assert result.returncode != 0
    for name in ("SELLER_NAME", "STRIPE_WEBHOOK_SECRET", "EMAIL_URL"):
        assert name in result.stderr


def test_the_simulator_does_not_run_without_debug(tmp_path):
    result = start(["manage.py", "stripe_simulator", "--port", "0"], tmp_path)

    assert result.returncode != 0
    assert "only with DEBUG on" in result.stderr
