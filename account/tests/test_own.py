"""Address change, sessions, data export, leaving."""

import io
import json
import re
import zipfile

from django.conf import settings
from django.contrib.auth import get_user
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse

from account.models import Follow, MuteOrBlock, Session, User
from account.sessions import hashed
from account.tests.factories import PASSWORD, make_user
from actions.models import Action
from archive import personal_data
from content.tests.picture_files import picture_bytes
from mail.addresses import is_proven
from mail.models import OutgoingMail
from search import index
from search.models import Document

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class EmailChangeTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice", email="alice@example.com")

    def setUp(self):
        self.client.force_login(self.alice)

    def ask(self, email: str = "NEW@example.com", password: str = PASSWORD):
        return self.client.post(reverse("account:email_change"), {"email": email, "password": password})

    def link(self) -> str:
        text = OutgoingMail.objects.get(to="new@example.com").opened()[0]
        return re.search(r"http://[^/]+(/account/email/\S+)", text)[1]

    def test_new_address_is_taken_when_its_owner_confirms(self):
        self.ask()

        self.client.get(self.link())
        self.alice.refresh_from_db()
        assert self.alice.email == "alice@example.com"

        self.client.post(self.link())
        self.alice.refresh_from_db()
        assert (self.alice.email, self.alice.is_proven) == ("new@example.com", True)
        assert is_proven("new@example.com")

    def test_old_address_is_warned(self):
        self.ask()

        assert "set a new password" in OutgoingMail.objects.get(to="alice@example.com").opened()[0]

    def test_password_is_asked_for(self):
        assert self.ask(password="wrong").status_code == 422
        assert not OutgoingMail.objects.exists()

    def test_address_of_another_member_gets_the_same_answer_and_no_mail(self):
        make_user("bob", email="new@example.com")

        assert self.ask().status_code == 302
        assert not OutgoingMail.objects.filter(to="new@example.com").exists()

    def test_link_works_once_and_not_for_an_address_taken_meanwhile(self):
        self.ask()
        make_user("bob", email="new@example.com")

        assert self.client.post(self.link()).status_code == 410
        User.objects.filter(username="bob").update(email="bob@example.com")
        assert self.client.post(self.link()).status_code == 302
        assert self.client.post(self.link()).status_code == 410


class ProfileLimitTests(TestCase):
    def setUp(self):
        self.client.force_login(make_user("alice"))

    def save(self, **fields):
        return self.client.post(reverse("account:edit"), {"first_name": "Alice", **fields})

    def test_nobody_at_the_form_meets_the_limit_and_who_does_keeps_what_was_typed(self):
        assert {self.save(bio=f"Try {number}").status_code for number in range(60)} == {302}

        page = self.save(bio="I print <b>.")

        self.assertContains(page, "What you typed is kept", status_code=429)
        self.assertContains(page, 'name="bio" value="I print &lt;b&gt;."', status_code=429)
        assert User.objects.get().bio == "Try 59"

    def test_photos_are_counted_by_themselves(self):
        for _ in range(20):
            self.save(photo=SimpleUploadedFile("x.png", b"no picture"))

        page = self.save(photo=SimpleUploadedFile("x.png", b"no picture"), bio="I print.")

        self.assertContains(page, "Only the file has to be chosen again", status_code=429)
        self.assertContains(page, 'value="I print."', status_code=429)
        assert self.save(bio="I print.").status_code == 302


class SessionTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")

    def log_in(self):
        client = self.client_class(headers={"User-Agent": FIREFOX})
        client.post(reverse("login"), {"username": "alice", "password": PASSWORD})
        return client

    def test_sessions_are_listed_with_their_browser(self):
        here, there = self.log_in(), self.log_in()

        response = here.get(reverse("account:session_list"))

        self.assertContains(response, "Firefox · Linux", count=2)
        assert {session.browser_name for session in Session.objects.all()} == {"Firefox · Linux"}
        named = re.findall(r'name="session" value="(\w+)"', response.text)
        assert named == [hashed(there.session.session_key)[:20], "others"]
        for session in Session.objects.all():
            self.assertNotContains(response, session.session_key)

    def test_what_the_table_holds_opens_no_session(self):
        here = self.log_in()
        [row] = Session.objects.all()
        thief = self.client_class()
        thief.cookies[settings.SESSION_COOKIE_NAME] = row.session_key

        assert row.session_key != here.session.session_key
        assert get_user(here).is_authenticated
        assert thief.get(reverse("account:dashboard")).status_code == 302

    def test_one_session_is_ended(self):
        here, there, third = self.log_in(), self.log_in(), self.log_in()
        target = Session.objects.get(session_key=hashed(there.session.session_key))

        here.post(reverse("account:session_end"), {"session": target.public_id})

        assert [get_user(client).is_authenticated for client in (here, there, third)] == [True, False, True]

    def test_all_others_are_ended(self):
        here, there, third = self.log_in(), self.log_in(), self.log_in()

        here.post(reverse("account:session_end"), {"session": "others"})

        assert [get_user(client).is_authenticated for client in (here, there, third)] == [True, False, False]

    def test_sessions_of_others_cannot_be_ended(self):
        here = self.log_in()
        bob = self.client_class()
        bob.force_login(make_user("bob"))
        target = Session.objects.get(session_key=hashed(here.session.session_key))

        bob.post(reverse("account:session_end"), {"session": target.public_id})

        assert get_user(here).is_authenticated

    def test_visitors_get_no_session(self):
        self.client.get(reverse("login"))
        self.client.get(reverse("account:user_list"))

        assert not Session.objects.exists()


class PersonalDataTests(TestCase):
    def test_every_model_that_points_at_a_person_is_spoken_for(self):
        """A new foreign key to the user needs an entry in its app's personal_data.py."""
        fields = User._meta.get_fields(include_hidden=True)
        pointing = {field.related_model._meta.label for field in fields if field.auto_created and not field.concrete}

        groups_and_staff = {"account.User_groups", "account.User_user_permissions"}
        # Who of the staff did what to an order, a refund or a VAT id is the shop's record, not the person's.
        records = {"orders.OrderEvent", "orders.VatId", "payment.Refund", "blog.PostRevision", "blog.Revision"}
        assert pointing - personal_data.spoken_for() - groups_and_staff - records == set()

    def export(self, person: User) -> zipfile.ZipFile:
        self.client.force_login(person)
        response = self.client.post(reverse("account:data_export"))
        return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))

    def test_export_holds_ones_own_rows_and_files_and_nobody_elses(self):
        alice, bob = make_user("alice", bio="Paper and ink"), make_user("bob", bio="Bobs secret")
        alice.follow(bob)
        self.client.force_login(alice)
        photo = SimpleUploadedFile("me.jpg", picture_bytes("JPEG"))
        self.client.post(reverse("account:edit"), {"first_name": "Alice", "bio": "Paper and ink", "photo": photo})

        archive = self.export(alice)

        rows = json.loads(archive.read("account.User.json"))
        assert [(row["username"], row["bio"]) for row in rows] == [("alice", "Paper and ink")]
        alice.refresh_from_db()
        assert f"files/{alice.photo.name}" in archive.namelist()
        everything = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".json"))
        assert b"Bobs secret" not in everything
        assert alice.password.encode() not in everything
        assert self.client.session.session_key.encode() not in everything

    def test_export_is_by_post(self):
        self.client.force_login(make_user("alice"))

        assert self.client.get(reverse("account:data_export")).status_code == 405


class LeaveTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice", email="alice@example.com", bio="Paper", link="https://alice.example")
        cls.bob = make_user("bob")

    def leave(self, **changes):
        self.client.force_login(self.alice)
        data = {"username": "alice", "password": PASSWORD, **changes}
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(reverse("account:leave"), data)

    def test_nothing_says_any_more_who_it_was(self):
        self.leave()

        self.alice.refresh_from_db()
        assert not self.alice.is_active
        assert not self.alice.has_usable_password()
        values = " ".join(str(field.value_from_object(self.alice)) for field in User._meta.concrete_fields)
        for trace in ["alice", "Alice", "Paper"]:
            assert trace not in values
        assert not is_proven("alice@example.com")
        assert self.client.get("/account/users/alice/").status_code == 404

    def test_what_belonged_to_the_person_is_gone(self):
        self.alice.follow(self.bob)
        self.bob.follow(self.alice)
        self.bob.mute_or_block(self.alice, "mute")
        index.write(self.alice)
        photo = SimpleUploadedFile("me.jpg", picture_bytes("JPEG"))
        self.client.force_login(self.alice)
        self.client.post(reverse("account:edit"), {"photo": photo})
        self.alice.refresh_from_db()

        self.leave()

        assert not Follow.objects.exists()
        assert not MuteOrBlock.objects.exists()
        assert not Action.objects.filter(actor=self.alice).exists()
        assert not Document.objects.filter(kind="person", object_id=self.alice.pk).exists()
        assert not Session.objects.filter(member=self.alice).exists()
        assert not default_storage.exists(self.alice.photo.name)

    def test_farewell_is_mailed_to_the_old_address(self):
        self.leave()

        assert OutgoingMail.objects.get(kind="account-gone").to == "alice@example.com"

    def test_username_and_password_are_asked_for(self):
        for changes in [{"username": "bob"}, {"password": "wrong"}, {"username": ""}]:
            assert self.leave(**changes).status_code == 422
        self.alice.refresh_from_db()
        assert self.alice.is_active

    def test_address_and_name_are_free_again(self):
        self.leave()

        assert make_user("alice", email="alice@example.com").pk != self.alice.pk

    def test_staff_do_not_leave_by_themselves(self):
        User.objects.filter(pk=self.alice.pk).update(is_staff=True)

        self.leave()

        self.alice.refresh_from_db()
        assert self.alice.is_active

    def test_admin_cannot_delete_but_make_nameless(self):
        self.client.force_login(make_user("boss", staff=True))
        data = {"action": "make_nameless", "_selected_action": [self.alice.pk]}

        assert self.client.get(reverse("admin:account_user_delete", args=[self.alice.pk])).status_code == 403
        self.client.post(reverse("admin:account_user_changelist"), data)

        self.alice.refresh_from_db()
        assert not self.alice.is_active
