"""Who a session belongs to is read with the session, in one query, and is never believed longer than that."""

from django.test import TestCase
from django.urls import reverse

from account.models import Session, User
from account.tests.factories import make_user


class WhoAsksTests(TestCase):
    def setUp(self):
        self.alice, self.bob = make_user("alice", first_name="Alice"), make_user("bob", first_name="Bob")
        self.client.force_login(self.alice)

    def page(self):
        return self.client.get(reverse("about"))

    def test_a_page_asks_once_who_its_member_is(self):
        with self.assertNumQueries(1):
            self.assertContains(self.page(), "Alice")

    def test_a_visitor_is_not_asked_for(self):
        self.client.logout()

        with self.assertNumQueries(0):
            self.page()

    def test_what_is_shown_of_a_member_is_what_is_stored_now(self):
        self.page()
        User.objects.filter(pk=self.alice.pk).update(first_name="Alicia")

        self.assertContains(self.page(), "Alicia")

    def test_a_deactivated_member_is_out_at_once(self):
        User.objects.filter(pk=self.alice.pk).update(is_active=False)

        self.assertNotContains(self.page(), "Alice")

    def test_a_changed_password_ends_the_session_at_once(self):
        self.alice.set_password("quite another one 7")
        self.alice.save()

        self.assertNotContains(self.page(), "Alice")

    def test_an_ended_session_is_nobodys_at_once(self):
        Session.objects.all().delete()

        self.assertNotContains(self.page(), "Alice")

    def test_the_signed_content_of_the_session_decides_not_its_column(self):
        Session.objects.update(member=self.bob)

        self.assertContains(self.page(), "Alice")
        self.assertNotContains(self.page(), "Bob")
