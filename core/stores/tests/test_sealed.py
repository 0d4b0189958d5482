"""What is sealed is ciphertext in the table, follows SECRET_KEY, and fails closed when the key is gone."""

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase, override_settings

from account import second_factor
from account.models import RecoveryCode, SecondFactor
from account.tests.factories import code_now, make_user


class SealedTests(TestCase):
    def setUp(self):
        self.alice = make_user("alice")
        factor = second_factor.begin(self.alice)
        self.secret = factor.secret
        self.codes = second_factor.confirm(self.alice, code_now(self.secret, steps=-1))

    def in_the_table(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM account_secondfactor")
            [(secret,)] = cursor.fetchall()
            cursor.execute("SELECT digest FROM account_recoverycode")
            return secret, [digest for (digest,) in cursor.fetchall()]

    def code(self):
        return code_now(self.secret)

    def test_the_table_holds_neither_secret_nor_hash(self):
        secret, digests = self.in_the_table()

        assert self.secret not in secret
        assert len(digests) == second_factor.RECOVERY_CODES
        for code in self.codes:
            digest = second_factor._digest(self.alice, code.replace("-", ""))
            assert not any(digest in sealed for sealed in digests)

    def test_the_app_and_each_recovery_code_open_the_account_once(self):
        assert second_factor.check(self.alice, self.code())
        assert not second_factor.check(self.alice, self.code())
        assert second_factor.check(self.alice, self.codes[0])
        assert not second_factor.check(self.alice, self.codes[0])
        assert second_factor.check(self.alice, self.codes[1])

    @override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["newer"])
    def test_an_unknown_key_opens_nothing_and_breaks_nothing(self):
        with self.assertLogs("core.stores.sealed", "ERROR"):
            for code in (self.code(), self.codes[0], code_now("")):
                assert not second_factor.check(self.alice, code)

    def test_a_new_key_reads_the_old_ones_text_and_resealing_makes_the_old_key_needless(self):
        with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            assert SecondFactor.objects.get().secret == self.secret
            call_command("reseal", verbosity=0)
        with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]):
            assert second_factor.check(self.alice, self.code())
            assert second_factor.check(self.alice, self.codes[0])

    @override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[])
    def test_resealing_leaves_what_it_cannot_read_and_says_so(self):
        before = self.in_the_table()

        with self.assertLogs("core.stores.sealed", "ERROR"), pytest.raises(CommandError, match="11 secrets"):
            call_command("reseal", verbosity=0)

        assert self.in_the_table() == before

    @override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[])
    def test_a_set_up_that_was_begun_under_a_lost_key_begins_anew(self):
        SecondFactor.objects.update(confirmed_at=None)

        with self.assertLogs("core.stores.sealed", "ERROR"):
            factor = second_factor.begin(self.alice)

        assert factor.secret
        assert SecondFactor.objects.get().secret == factor.secret


class RemoveTests(TestCase):
    def test_the_last_superuser_gets_in_with_a_command(self):
        boss = make_user("boss", staff=True)
        factor = second_factor.begin(boss)
        second_factor.confirm(boss, code_now(factor.secret))

        call_command("remove_second_factor", "BOSS", verbosity=0)

        boss.refresh_from_db()
        assert not boss.has_second_factor
        assert not RecoveryCode.objects.exists()

    def test_the_command_says_what_is_wrong(self):
        make_user("bob")

        with pytest.raises(CommandError, match="nobody called 'nobody'"):
            call_command("remove_second_factor", "nobody")
        with pytest.raises(CommandError, match="bob has no second factor"):
            call_command("remove_second_factor", "bob@example.com")
