from django.test import TestCase

from mail.addresses import is_proven, mark_proven
from mail.models import ProvenAddress


class ProvenTests(TestCase):
    def test_address_is_proven_however_it_is_written(self):
        mark_proven(" Bob@Example.com ")
        mark_proven("bob@example.COM")

        assert is_proven("BOB@example.com")
        assert ProvenAddress.objects.count() == 1

    def test_other_addresses_are_not(self):
        mark_proven("bob@example.com")

        assert not is_proven("charlie@example.com")
