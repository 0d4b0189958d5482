from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, override_settings

from payment import checks
from payment.apps import PaymentConfig


@override_settings(DEBUG=False, STRIPE_API_BASE="http://127.0.0.1:8001")
class RefusalTests(SimpleTestCase):
    def test_site_does_not_start_with_the_simulator_and_debug_off(self):
        with pytest.raises(ImproperlyConfigured, match="STRIPE_API_BASE"):
            PaymentConfig.ready(mock.Mock())
        assert [error.id for error in checks.stripe_is_real(None)] == ["payment.E001"]

    @override_settings(STRIPE_SECRET_KEY="")
    def test_site_needs_keys_when_debug_is_off(self):
        assert [error.id for error in checks.stripe_is_configured(None)] == ["payment.E002"]

    def test_simulator_does_not_start_with_debug_off(self):
        with pytest.raises(CommandError, match="DEBUG"):
            call_command("stripe_simulator")
