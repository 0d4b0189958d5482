"""A site that strangers reach does not start with a door open."""

import subprocess

import pytest

from account.models import User
from account.tests.factories import make_user
from demo.people import PASSWORD, STAFF
from tests import processes

PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "long-enough-and-random-enough-to-be-checked-but-no-secret-5pQ8",
    "SITE_URL": "https://example.com",
    "ALLOWED_HOSTS": "example.com",
    "EMAIL_URL": "smtp+tls://mail.example.com",
    "STRIPE_SECRET_KEY": "sk_live_check",
    "STRIPE_WEBHOOK_SECRET": "whsec_check",
    "SELLER_NAME": "Mill Press",
    "SELLER_ADDRESS": "1 Street|12345 Town",
    "SELLER_VAT_ID": "DE136695976",
    "FETCH_TEST_ORIGINS": "",
}


def start(**changes):
    env = processes.environment(**{**PRODUCTION, **changes})
    command = [processes.PYTHON, "-c", "import config.wsgi; print('started')"]
    return subprocess.run(command, cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=300)


@pytest.fixture
def demo_staff(transactional_db):
    user = make_user(STAFF, staff=True)
    user.set_password(PASSWORD)
    user.save()
    return user


def test_it_does_not_start_while_the_demo_login_is_open(demo_staff):
    refused = start()

    assert refused.returncode == 1
    assert "The demo's login is open" in refused.stderr
    assert "known to everybody: staff." in refused.stderr
    assert "demo --remove" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_deployment_check_says_so_too(demo_staff):
    checked = processes.run("check", "--deploy", **PRODUCTION)

    assert checked.returncode == 1
    assert "The demo's login is open" in checked.stderr


def test_a_renamed_demo_account_is_recognised_by_its_address(demo_staff):
    User.objects.filter(pk=demo_staff.pk).update(username="maria", email="staff@atelier.example")

    assert "The demo's login is open" in start().stderr


def test_it_starts_once_the_password_is_another(demo_staff):
    demo_staff.set_password("another one, of my own")
    demo_staff.save()

    assert start().stdout == "started\n"


def test_it_does_not_start_when_it_would_refuse_its_own_address(transactional_db):
    refused = start(ALLOWED_HOSTS="other.example")

    assert refused.returncode == 1
    assert "Put example.com into ALLOWED_HOSTS" in refused.stderr


def test_it_does_not_start_at_an_address_without_tls_unless_told(transactional_db):
    refused = start(SITE_URL="http://example.com")

    assert refused.returncode == 1
    assert "SITE_URL is http://example.com" in refused.stderr
    assert "ALLOW_UNENCRYPTED=site" in refused.stderr
    assert start(SITE_URL="http://example.com", ALLOW_UNENCRYPTED="site").stdout == "started\n"


def test_it_does_not_start_without_what_the_law_and_the_shop_need(transactional_db):
    refused = start(SELLER_NAME="")

    assert refused.returncode == 1
    assert "SELLER_NAME must be set" in refused.stderr


def test_what_is_loaded_at_the_start_is_left_out_of_garbage_collections(transactional_db):
    command = [processes.PYTHON, "-c", "import gc, config.wsgi; print(gc.get_freeze_count())"]
    env = processes.environment(**PRODUCTION)
    frozen = subprocess.run(
        command, cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=300, check=True
    )

    assert int(frozen.stdout) > 100_000
