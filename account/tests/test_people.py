from unittest.mock import patch

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from account.models import Follow, User
from account.tests.factories import make_user
from account.views.people import _people
from actions.models import Action
from content.tests.picture_files import picture_bytes, png_header
from core.tests.races import MOST, Meeting, no_transaction, race
from search.models import Document


class FollowTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")
        cls.bob = make_user("bob")

    def follow(self, person: str = "alice", action: str = "follow", **headers):
        return self.client.post(reverse("account:user_follow", args=[person]), {"action": action}, headers=headers)

    def test_follow_and_unfollow_by_plain_forms(self):
        self.client.force_login(self.bob)

        self.assertRedirects(self.follow(), self.alice.get_absolute_url())
        assert self.bob.is_following(self.alice)
        assert Action.objects.get().target == self.alice

        self.follow(action="unfollow")
        assert not self.bob.is_following(self.alice)

    def test_a_guest_with_a_cart_is_led_to_the_login(self):
        session = self.client.session
        session["cart"] = {}
        session.save()

        self.assertContains(self.client.get(self.alice.get_absolute_url()), "Log in to follow")

    def test_htmx_gets_the_button_and_the_new_count(self):
        self.client.force_login(self.bob)

        response = self.follow(**{"HX-Request": "true"})

        self.assertContains(response, "1 follower")
        self.assertContains(response, "Unfollow")
        self.assertNotContains(response, "<html")

    def test_following_twice_is_one_row_and_one_action(self):
        assert self.bob.follow(self.alice)
        assert not self.bob.follow(self.alice)

        assert (Follow.objects.count(), Action.objects.count()) == (1, 1)

    def test_nobody_follows_themselves(self):  # D18
        self.client.force_login(self.alice)

        assert self.follow("alice").status_code == 400
        with pytest.raises(IntegrityError), transaction.atomic():
            Follow.objects.create(follower=self.alice, followed=self.alice)
        self.assertNotContains(self.client.get(self.alice.get_absolute_url()), 'value="follow"')

    def test_unknown_action_is_refused(self):  # D21
        self.client.force_login(self.bob)

        for action in ["whatever", ""]:
            assert self.follow(action=action).status_code == 400

    def test_unknown_and_inactive_people_are_not_found(self):  # D20
        make_user("gone", is_active=False)
        self.client.force_login(self.bob)

        for name in ["nobody", "gone", "%00", "💥"]:
            assert self.follow(name).status_code in (400, 404)

    def test_visitor_is_sent_to_login(self):
        response = self.follow()

        assert response.status_code == 302
        assert response.url.startswith(reverse("login"))

    def test_wrong_method_is_405(self):
        assert self.client.get(reverse("account:user_follow", args=["alice"])).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_twenty_parallel_follows_are_one():  # D19
    alice, bob = make_user("alice"), make_user("bob")

    errors = race(lambda number: bob.follow(alice), MOST)

    assert errors == []
    assert (Follow.objects.count(), Action.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_parallel_follows_and_unfollows_are_told_once():
    alice, bob = make_user("alice"), make_user("bob")

    errors = race(lambda number: bob.follow(alice) if number % 2 else bob.unfollow(alice), MOST)

    assert errors == []
    assert Action.objects.filter(verb=Action.Verb.FOLLOWS).count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_follows_would_act_often_if_nothing_refused_the_second_row():
    """The twin of the test above: look first, insert then. It must go wrong, or the test above proves nothing."""
    alice, bob = make_user("alice"), make_user("bob")
    meeting = Meeting(10)

    def careless(self, *, follower, followed):
        is_new = not Follow.objects.filter(follower=follower, followed=followed).exists()
        meeting.wait()
        if not is_new:
            raise IntegrityError
        Follow.objects.bulk_create([Follow(follower=follower, followed=followed)], ignore_conflicts=True)

    are_new: list[bool] = []
    with (
        patch("django.db.models.query.QuerySet.create", careless),
        patch("account.models.people.transaction.atomic", no_transaction),
        patch.object(User, "_lock_both"),
        patch("account.models.people.Action.objects.record"),
    ):
        assert race(lambda number: are_new.append(bob.follow(alice)), 10) == []

    assert are_new == [True] * 10


class PeopleTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice", bio="Paper <b>and</b> ink", link="https://alice.example")

    def test_list_shows_active_people_only(self):
        make_user("gone", is_active=False)

        response = self.client.get(reverse("account:user_list"))

        self.assertContains(response, "Alice")
        self.assertNotContains(response, "gone")

    def test_list_costs_the_same_for_ten_as_for_twenty(self):
        def queries() -> int:
            with self.assertNumQueries(2):
                self.client.get(reverse("account:user_list"))

        for _ in range(10):
            make_user().follow(self.alice)
        queries()
        for _ in range(10):
            make_user().follow(self.alice)
        queries()

    def test_followers_are_counted_who_are_members_still(self):
        bob = make_user("bob")
        for person in (bob, make_user("gone")):
            person.follow(self.alice)
        User.objects.filter(username="gone").update(is_active=False)

        counts = User.objects.with_follower_counts().in_bulk([self.alice.pk, bob.pk])
        assert [counts[person.pk].followers_count for person in (self.alice, bob)] == [1, 0]

    def test_the_list_that_everybody_is_shown_is_read_as_its_query_set_is(self):
        for person in (make_user("bob", first_name=""), make_user("gone")):
            person.follow(self.alice)
        User.objects.filter(username="gone").update(is_active=False)
        listing, rows = _people(AnonymousUser()), User.objects.people().order_by("-pk")

        assert listing.count() == rows.count() > 1
        assert listing.first_rows(0, 50) == rows.faces()
        assert listing.first_rows(1, 1) == rows[1:2].faces()
        assert listing.last_rows(0, 1, None) == [rows.faces()[-1]]

    def test_who_has_given_no_name_is_called_by_the_username(self):
        assert [str(make_user("bob")), str(make_user("carl", first_name=""))] == ["Bob", "carl"]

    def test_an_address_is_proven_when_it_was_first(self):
        was = self.alice.email_proven_at
        self.alice.prove_email()
        self.alice.refresh_from_db()

        assert self.alice.email_proven_at == was

    def test_any_page_number_is_answered(self):
        for page in ["abc", "-1", "0", "99999", "1" * 5000, "٣"]:
            assert self.client.get(reverse("account:user_list"), {"page": page}).status_code == 200

    def test_profile_shows_who_it_is_and_nothing_private(self):
        User.objects.update(date_of_birth="1990-05-04")

        response = self.client.get(self.alice.get_absolute_url())

        self.assertContains(response, "&lt;b&gt;")
        self.assertContains(response, 'rel="nofollow')
        self.assertNotContains(response, "alice@example.com")
        self.assertNotContains(response, "1990")

    def test_inactive_and_unknown_profiles_are_not_found(self):
        make_user("gone", is_active=False)

        for name in ["gone", "nobody"]:
            assert self.client.get(reverse("account:user_detail", args=[name])).status_code == 404


class EditTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")

    def setUp(self):
        self.client.force_login(self.alice)

    def edit(self, **data):
        return self.client.post(reverse("account:edit"), {"first_name": "Alice", **data})

    def photo(self, content: bytes, name: str = "me.jpg"):
        return self.edit(photo=SimpleUploadedFile(name, content, "image/jpeg"))

    def test_superuser_without_a_profile_can_edit(self):  # D17
        self.client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))

        assert self.client.get(reverse("account:edit")).status_code == 200

    def test_profile_is_saved(self):  # D2
        self.assertRedirects(self.edit(last_name="Doe", date_of_birth="1990-05-04", bio="Hi"), reverse("account:edit"))

        self.alice.refresh_from_db()
        assert (self.alice.last_name, str(self.alice.date_of_birth), self.alice.bio) == ("Doe", "1990-05-04", "Hi")

    def test_search_finds_the_new_name(self):
        self.edit(last_name="Lindqvist", bio="Paper and ink")

        document = Document.objects.get(kind="person")
        assert (document.title, document.summary) == ("Alice Lindqvist", "Paper and ink")

    def test_bad_input_comes_back(self):  # D23
        bad = [
            {"date_of_birth": "2999-01-01"},
            {"date_of_birth": "2026-02-30"},
            {"date_of_birth": "0001-01-01"},
            {"link": "javascript:alert(1)"},
            {"link": "ftp://x.example"},
            {"bio": "x" * 501},
        ]
        for data in bad:
            with self.subTest(data):
                assert self.edit(**data).status_code == 422

    def test_email_and_rights_cannot_be_changed_here(self):
        self.edit(email="evil@example.com", username="root", is_staff="on", email_proven_at="")

        self.alice.refresh_from_db()
        assert (self.alice.email, self.alice.username, self.alice.is_staff) == ("alice@example.com", "alice", False)

    def test_photo_is_encoded_anew_and_its_size_stored(self):
        exif = b"Exif\0\0" + b"secret place"
        self.photo(picture_bytes("JPEG", (300, 200), exif=exif))

        self.alice.refresh_from_db()
        assert (self.alice.photo_width, self.alice.photo_height) == (300, 200)
        assert "me" not in self.alice.photo.name.split("/")[-1]
        with self.alice.photo.open() as file:
            assert b"secret place" not in file.read()
        self.assertContains(self.client.get(self.alice.get_absolute_url()), ".face.webp")

    def test_new_photo_removes_the_old_one(self):
        self.photo(picture_bytes("JPEG"))
        self.alice.refresh_from_db()
        old, storage = self.alice.photo.name, self.alice.photo.storage

        with self.captureOnCommitCallbacks(execute=True):
            self.photo(picture_bytes("PNG"))

        assert not storage.exists(old)

    def test_cleared_photo_is_removed(self):
        self.photo(picture_bytes("JPEG"))
        self.alice.refresh_from_db()
        old, storage = self.alice.photo.name, self.alice.photo.storage

        with self.captureOnCommitCallbacks(execute=True):
            self.edit(**{"photo-clear": "on"})

        self.alice.refresh_from_db()
        assert not self.alice.photo
        assert self.alice.photo_width is None
        assert not storage.exists(old)

    def test_hostile_photos_are_refused(self):  # D22
        for content in [b"", b"<svg onload=alert(1)>", png_header(20_000, 8_000), png_header(13_300, 13_300)]:
            with self.subTest(content[:20]):
                assert self.photo(content).status_code == 422
        self.alice.refresh_from_db()
        assert not self.alice.photo


class DashboardTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob, cls.charlie = make_user("alice"), make_user("bob"), make_user("charlie")

    def test_stream_is_of_the_people_one_follows(self):
        self.alice.follow(self.bob)
        self.bob.follow(self.charlie)
        self.charlie.follow(self.alice)
        self.client.force_login(self.alice)

        lines = self.client.get(reverse("account:dashboard")).context["lines"]

        assert [line.act.username for line in lines] == ["bob"]

    def test_who_follows_the_silent_sees_nobody_else(self):
        self.bob.follow(self.charlie)
        self.alice.follow(self.charlie)
        self.client.force_login(self.alice)

        page = self.client.get(reverse("account:dashboard"))

        assert page.context["lines"] == []
        self.assertContains(page, "What the people you follow do")

    def test_following_more_people_who_do_more_costs_no_more_queries(self):
        def queries():
            with CaptureQueriesContext(connection) as captured:
                self.client.get(reverse("account:dashboard"))
            return len(captured)

        self.client.force_login(self.alice)
        self.alice.follow(self.bob)
        self.bob.follow(self.charlie)
        few = queries()
        for number in range(30):
            person = make_user()
            self.alice.follow(person)
            Action.objects.record(person, Action.Verb.FOLLOWS, self.charlie if number % 2 else self.bob)

        assert queries() == few

    def test_who_follows_nobody_sees_everybody_but_themselves(self):
        self.bob.follow(self.charlie)
        self.client.force_login(self.alice)

        self.assertContains(self.client.get(reverse("account:dashboard")), "Charlie")

    def test_unproven_member_is_told_to_confirm(self):
        self.client.force_login(make_user("new", proven=False))

        self.assertContains(self.client.get(reverse("account:dashboard")), "new@example.com")

    def test_visitor_is_sent_to_login(self):
        for name in ["account:dashboard", "account:edit"]:
            assert self.client.get(reverse(name)).status_code == 302
