from datetime import UTC, datetime, timedelta

from django.test import TestCase
from django.utils import timezone

from account.models import User
from account.tests.factories import make_user
from config.keptsql import KeptSql

FAR = datetime(9998, 1, 1, tzinfo=UTC)


class KeptSqlTests(TestCase):
    def test_is_compiled_once_and_asks_with_the_values_given(self):
        built = []

        def joined(name, before):
            built.append(name)
            return User.objects.filter(username__in=[name, "always"], date_joined__lt=before).order_by("username")

        kept = KeptSql(joined, "\x01name", FAR)
        for name in ("always", "alice", "bob"):
            make_user(name)
        later = timezone.now() + timedelta(minutes=1)

        def names(*values):
            return [user.username for user in User.objects.raw(*kept.with_values(*values))]

        assert names("alice", later) == ["alice", "always"]
        assert names("bob", later) == ["always", "bob"]
        assert names("bob", later - timedelta(days=1)) == []
        assert names("' OR 1=1 --", later) == ["always"]
        assert len(built) == 1

    def test_a_missing_value_is_an_error(self):
        kept = KeptSql(lambda pk: User.objects.filter(pk=pk), -1)
        with self.assertRaises(ValueError):
            kept.with_values()
