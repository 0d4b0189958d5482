from unittest.mock import patch

import pytest
from django.test import TestCase
from django.urls import reverse

from account.tests.factories import make_user
from actions.models import Action
from core.tests.races import MOST, Meeting, race
from images.models import Image, Like
from images.tests.factories import make_image


class LikeTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")
        cls.image = make_image(owner=cls.alice)

    def like(self, action: str = "like", pk: int | None = None, **headers):
        url = reverse("images:image_like", args=[pk or self.image.pk])
        return self.client.post(url, {"action": action}, headers=headers)

    def total(self) -> int:
        self.image.refresh_from_db()
        return self.image.total_likes

    def test_like_and_unlike_by_plain_forms(self):  # D37
        self.client.force_login(self.bob)

        self.assertRedirects(self.like(), self.image.get_absolute_url())
        assert self.total() == 1

        self.like("unlike")
        assert self.total() == 0

    def test_repeated_clicks_count_once(self):
        self.client.force_login(self.bob)

        for action in ["like", "like", "unlike", "unlike", "like"]:
            self.like(action)

        assert self.total() == Like.objects.count() == 1

    def test_htmx_gets_button_count_and_faces(self):
        self.client.force_login(self.bob)

        response = self.like(**{"HX-Request": "true"})

        self.assertContains(response, "1 like")
        self.assertContains(response, 'value="unlike"')
        self.assertContains(response, self.bob.get_absolute_url())
        self.assertNotContains(response, "<html")

    def test_like_enters_the_stream_and_unlike_does_not(self):
        self.client.force_login(self.bob)

        self.like()
        self.like("unlike")

        assert [action.verb for action in Action.objects.filter(actor=self.bob)] == [Action.Verb.LIKES]

    def test_visitor_sees_a_way_to_log_in_and_is_led_there(self):  # D39
        self.assertContains(self.client.get(self.image.get_absolute_url()), "Log in to like")
        assert self.like().url.startswith(reverse("login"))

    def test_unknown_action_is_refused(self):  # D21
        self.client.force_login(self.bob)

        for action in ["zzz", ""]:
            assert self.like(action).status_code == 400

    def test_private_unready_and_unknown_pictures_are_not_found(self):  # D20
        self.client.force_login(self.bob)

        for pk in [make_image(is_private=True).pk, make_image(status="fetching").pk, 999_999, 2**63]:
            assert self.like(pk=pk).status_code == 404

    def test_wrong_method_is_405(self):
        assert self.client.get(reverse("images:image_like", args=[self.image.pk])).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_parallel_clicks_of_many_people_count_right():  # D33
    image, people = make_image(), [make_user() for _ in range(10)]

    errors = race(lambda number: image.like(people[number % 10]), MOST)

    assert errors == []
    image.refresh_from_db()
    assert image.total_likes == Like.objects.count() == 10
    assert Action.objects.filter(verb=Action.Verb.LIKES).count() == 10


@pytest.mark.django_db(transaction=True)
def test_parallel_likes_of_one_person_are_one_like_and_one_action():  # D34
    image, bob = make_image(), make_user("bob")

    errors = race(lambda number: image.like(bob), 12)

    assert errors == []
    image.refresh_from_db()
    assert image.total_likes == Like.objects.count() == 1
    assert Action.objects.filter(verb=Action.Verb.LIKES).count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_likes_and_unlikes_of_one_person_stay_in_step():
    image, bob = make_image(), make_user("bob")

    errors = race(lambda number: image.like(bob) if number % 2 else image.unlike(bob), MOST)

    assert errors == []
    image.refresh_from_db()
    assert image.total_likes == Like.objects.count()
    assert Action.objects.filter(verb=Action.Verb.LIKES).count() == 1  # again within the minute tells nobody anything


@pytest.mark.django_db(transaction=True)
def test_counting_by_read_and_write_would_lose_likes():
    """The twin of the tests above with the conditional delta taken out; it must go wrong."""
    image, people = make_image(), [make_user() for _ in range(10)]
    meeting = Meeting(10)

    def careless(self, user):
        Like.objects.create(user=user, image=self)
        total = Image.objects.get(pk=self.pk).total_likes
        meeting.wait()
        Image.objects.filter(pk=self.pk).update(total_likes=total + 1)

    with patch.object(Image, "like", careless):
        assert race(lambda number: image.like(people[number]), 10) == []

    image.refresh_from_db()
    assert (image.total_likes, Like.objects.count()) == (1, 10)
