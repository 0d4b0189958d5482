import pytest
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase

from account.models import User
from core.jobs import transactions

Refused = transaction.TransactionManagementError


class InsideTheTestsOwnTransaction(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.was_open = transactions.is_open()

    def test_block_of_the_test_case_does_not_count(self):
        assert not self.was_open
        assert not transactions.is_open()
        with pytest.raises(Refused, match=r"^A mail belongs into the transaction"):
            transactions.require("A mail")

    def test_block_of_the_code_counts_at_any_depth(self):
        with transaction.atomic():
            transactions.require("A mail")
            with transaction.atomic():
                transactions.require("A mail")

    def test_callback_after_the_commit_is_outside_again(self):
        seen = []
        with self.captureOnCommitCallbacks(execute=True), transaction.atomic():
            transaction.on_commit(lambda: seen.append(transactions.is_open()))

        assert seen == [False]

    def test_looking_costs_no_statement_in_a_transaction(self):
        with transaction.atomic(), self.assertNumQueries(0):
            transactions.require("A mail")


class OnRealTransactions(TransactionTestCase):
    def test_open_is_what_the_code_opened(self):
        assert not transactions.is_open()
        with transaction.atomic():
            assert transactions.is_open()
        assert not transactions.is_open()

    def test_transaction_that_can_only_roll_back_is_still_one(self):
        with transaction.atomic():
            transaction.set_rollback(True)
            assert transactions.is_open()


class Locks(TestCase):
    def test_row_lock_outside_the_codes_own_transaction_fails(self):
        if not connection.features.has_select_for_update:
            self.skipTest("SQLite locks the whole file")
        with pytest.raises(Refused, match="row lock"):
            list(User.objects.select_for_update())
        with transaction.atomic():
            list(User.objects.select_for_update(no_key=True))
