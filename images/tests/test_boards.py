"""The statements that read the boards find what the query sets find that count them."""

from django.contrib.auth.models import AnonymousUser
from django.test import TestCase

from account.tests.factories import make_user
from images.models import Image
from images.paging import NEWEST_FIRST, board, board_of
from images.tests.factories import make_image


class StatementTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob, cls.gone = make_user("alice"), make_user("bob"), make_user("gone", is_active=False)
        for owner in (cls.alice, cls.bob, cls.gone):
            for fields in [{}, {}, {"is_private": True}, {"status": "fetching"}, {"status": "failed"}]:
                make_image(owner=owner, **fields)

    def test_each_board_has_the_rows_of_its_query_set_in_order(self):
        stranger, sizes = AnonymousUser(), []
        for listing in (board(stranger), board_of(self.alice, stranger), board_of(self.alice, self.alice)):
            rows = listing.rows().order_by(*NEWEST_FIRST)
            tiles = rows.tiles()
            sizes.append(listing.count())

            assert len(tiles) == listing.count()
            assert listing.first_rows(0, 50) == tiles
            assert listing.last_rows(0, 1, None) == tiles[-1:]
            place = tuple(rows.values_list("id", "pk")[1])
            assert listing.last_rows(0, 50, place) == tiles[:2]
        assert sizes == [4, 2, 3]

    def test_of_somebody_whom_one_has_blocked_nothing_is_shown(self):
        self.bob.mute_or_block(self.alice, "block")

        listing = board_of(self.alice, self.bob)

        assert Image.objects.filter(owner=self.alice).exists()
        assert (listing.count(), listing.first_rows(0, 50)) == (0, [])
