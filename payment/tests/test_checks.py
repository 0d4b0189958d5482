from unittest import mock

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, override_settings

from payment import checks, webhooks
from payment.apps import PaymentConfig


@override_settings(DEBUG=False, STRIPE_API_BASE="http://127.0.0.1:8001")
class RefusalTests(SimpleTestCase):
    def test_site_does_not_start_with_the_simulator_and_debug_off(self):
        with pytest.raises(ImproperlyConfigured, match="STRIPE_API_BASE"):
            PaymentConfig.ready(mock.Mock())
        assert [error.id for error in checks.stripe_is_real(None)] == ["payment.E001"]

    @override_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="whsec_x")
    def test_site_needs_keys_when_debug_is_off(self):
        assert [error.id for error in checks.stripe_is_configured(None)] == ["payment.E002"]

    def test_each_missing_part_says_what_to_do(self):
        with override_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET=" , "):
            found = {error.id: error.msg for error in checks.stripe_is_configured(None)}
        assert "API keys" in found["payment.E002"]
        assert "/payment/webhook/" in found["payment.E003"]

    def test_a_test_key_is_refused_when_the_site_goes_live(self):
        for key, found in (
            ("sk_test_1", ["payment.E004"]),
            ("rk_test_1", ["payment.E004"]),
            ("pk_live_1", ["payment.E004"]),
            ("sk_test_live_1", ["payment.E004"]),
            ("sk_live_1", []),
            ("rk_live_1", []),
        ):
            with override_settings(STRIPE_SECRET_KEY=key):
                assert [error.id for error in checks.stripe_moves_real_money(None)] == found, key
        with override_settings(STRIPE_SECRET_KEY="sk_test_1", DEBUG=True):
            assert checks.stripe_moves_real_money(None) == []

    def test_what_is_no_signing_secret_is_refused_when_the_site_goes_live(self):
        for secrets, found in (
            ("we_123", ["payment.E005"]),
            ("whsec_a,we_1", ["payment.E005"]),
            ("whsec_a, whsec_b", []),
        ):
            with override_settings(STRIPE_WEBHOOK_SECRET=secrets):
                assert [error.id for error in checks.webhook_secrets_are_secrets(None)] == found, secrets

    def test_operations_name_every_event_that_is_acted_on(self):
        text = (settings.BASE_DIR / "docs" / "operations.md").read_text()

        assert [kind for kind in webhooks.HANDLERS if f"`{kind}`" not in text] == []

    def test_simulator_does_not_start_with_debug_off(self):
        with pytest.raises(CommandError, match="DEBUG"):
            call_command("stripe_simulator")
