from unittest.mock import patch

import pytest
from django.test import TestCase
from django.urls import reverse

from account.models import Follow, MuteOrBlock, User
from account.tests.factories import make_user
from core.tests.races import Meeting, many_writers, race


class MuteAndBlockTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob, cls.charlie = make_user("alice"), make_user("bob"), make_user("charlie")

    def setUp(self):
        self.client.force_login(self.alice)

    def act(self, action: str, person: str = "bob"):
        return self.client.post(reverse("account:user_mute_or_block", args=[person]), {"action": action})

    def stream(self) -> str:
        return self.client.get(reverse("account:dashboard")).content.decode().split("<section")[1]

    def test_muted_person_is_not_in_the_stream(self):
        self.alice.follow(self.bob)
        self.bob.follow(self.charlie)
        assert "Bob" in self.stream()

        self.act("mute")
        assert "Bob" not in self.stream()

        self.act("lift")
        assert "Bob" in self.stream()

    def test_muted_person_is_not_in_the_stream_of_everybody(self):
        self.bob.follow(self.charlie)
        self.act("mute")

        assert "Bob" not in self.stream()

    def test_muted_person_notices_nothing(self):
        self.bob.follow(self.alice)
        self.act("mute")
        self.client.force_login(self.bob)

        assert self.bob.is_following(self.alice)
        assert self.client.get(self.alice.get_absolute_url()).status_code == 200

    def test_block_ends_following_both_ways_and_hides_the_profile(self):
        self.alice.follow(self.bob)
        self.bob.follow(self.alice)

        self.act("block")

        assert not self.alice.is_following(self.bob)
        assert not self.bob.is_following(self.alice)
        self.client.force_login(self.bob)
        assert self.client.get(self.alice.get_absolute_url()).status_code == 404
        url = reverse("account:user_follow", args=["alice"])
        assert self.client.post(url, {"action": "follow"}).status_code == 404

    def test_blocker_can_still_see_and_lift_it_but_not_follow(self):
        self.act("block")

        self.assertContains(self.client.get(self.bob.get_absolute_url()), "You have blocked this person.")
        self.client.post(reverse("account:user_follow", args=["bob"]), {"action": "follow"})
        assert not self.alice.follow(self.bob)
        assert not self.alice.is_following(self.bob)
        self.act("lift")
        assert not MuteOrBlock.objects.exists()

    def test_blocked_person_is_not_in_the_blockers_stream_nor_the_other_way_round(self):
        self.bob.follow(self.charlie)
        self.alice.follow(self.charlie)
        self.act("block")

        assert "Bob" not in self.stream()
        self.client.force_login(self.bob)
        assert "Alice" not in self.stream()

    def test_mute_becomes_block_and_stays_one_row(self):
        self.act("mute")
        self.act("block")

        assert [each.kind for each in MuteOrBlock.objects.all()] == ["block"]

    def test_a_mute_hides_one_from_the_other_and_a_block_both_from_each_other(self):
        for owner, other in [(self.alice, self.bob), (self.bob, self.alice)]:
            for kind, theirs, apart in [("mute", set(), []), ("block", {owner.pk}, [other.pk, owner.pk])]:
                with self.subTest(owner=owner, kind=kind):
                    MuteOrBlock.objects.all().delete()
                    owner.mute_or_block(other, kind)
                    other.__dict__.pop("_mutes_and_blocks", None)  # as the next request would
                    assert [owner.mute_or_block_of(other), other.mute_or_block_of(owner)] == [kind, ""]
                    assert [owner.hidden_ids(), other.hidden_ids()] == [{other.pk}, theirs]
                    assert [*owner.out_of_reach_ids(), *other.out_of_reach_ids()] == apart
                    assert self.charlie.hidden_ids() == set()

    def test_nonsense_is_refused(self):
        assert self.act("hide").status_code == 400
        assert self.act("mute", "alice").status_code == 400
        assert self.act("mute", "nobody").status_code == 404
        assert self.client.get(reverse("account:user_mute_or_block", args=["bob"])).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_no_follow_outlives_a_block_set_at_the_same_moment():
    pairs = [(make_user(), make_user()) for _ in range(10)]

    def act(number: int) -> None:
        one, other = pairs[number // 2]
        one.follow(other) if number % 2 else other.mute_or_block(one, "block")

    assert race(act, 20) == []
    assert MuteOrBlock.objects.count() == 10
    assert not Follow.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_follow_would_outlive_the_block_if_neither_waited_for_the_other():
    """The twin of the test above: the follow looks for a block, the block is set, the follow is written."""
    alice, bob = make_user("alice"), make_user("bob")
    looked, blocked = Meeting(2), Meeting(2)
    has_block = MuteOrBlock.is_block_between

    def looks_early(one, other) -> bool:
        found = has_block(one, other)
        looked.wait()
        blocked.wait()
        return found

    def block() -> None:
        looked.wait()
        alice.mute_or_block(bob, "block")
        blocked.wait()

    with (
        patch.object(User, "_lock_both"),
        patch.object(MuteOrBlock, "is_block_between", looks_early),
        many_writers("account.models.people"),
    ):
        assert race(lambda number: block() if number else bob.follow(alice), 2) == []

    assert bob.is_following(alice)
