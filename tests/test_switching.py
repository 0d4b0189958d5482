"""A member switched off in the admin, and on again: what others see of them goes and comes back at once."""

from django.test import TestCase
from django.urls import reverse

from account.models import Session
from account.sessions import hashed
from account.tests.factories import make_user
from actions.tasks import flush_views
from core.web.tests.sitemap_files import file_of
from images.tests.factories import make_image
from search import index
from tests.test_mutes_and_blocks import BROWSER


class SwitchedOffTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.boss, cls.alice, cls.bob = make_user("boss", staff=True), make_user("alice"), make_user("bob")
        cls.boats = make_image(owner=cls.alice, title="Boats")
        cls.hills = make_image(owner=cls.bob, title="Hills")
        cls.hills.like(cls.alice)
        index.write_many([cls.alice, cls.bob])
        index.write_many([cls.boats, cls.hills])
        cls.bob.follow(cls.alice)

    def admin(self):
        client = self.client_class()
        client.force_login(self.boss)
        return client

    def edit(self, *, is_active: bool) -> None:
        """Send the person's form in the admin as the browser would, with the one box changed."""
        client, url = self.admin(), reverse("admin:account_user_change", args=[self.alice.pk])
        form = client.get(url).context["adminform"].form
        data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
        data |= {"last_login_0": "", "last_login_1": "", "is_active": "on"}
        data = {name: value for name, value in data.items() if name not in ("photo", "password")}
        if not is_active:
            del data["is_active"]
        response = client.post(url, data)
        assert response.status_code == 302, response.context["adminform"].form.errors

    def act(self, action: str, *people) -> str:
        data = {"action": action, "_selected_action": [person.pk for person in people]}
        return self.admin().post(reverse("admin:account_user_changelist"), data, follow=True).content.decode()

    def seen(self) -> dict[str, bool]:
        """Tell where a visitor finds Alice and her picture."""
        get = self.client.get
        search = get(reverse("search"), {"q": "boats"}).text.partition("<ol")[2]
        people = get(reverse("search"), {"q": "alice"}).text.partition("<ol")[2]
        bob = self.client_class()
        bob.force_login(self.bob)
        return {
            "profile": get(self.alice.get_absolute_url()).status_code == 200,
            "people": self.alice.get_absolute_url() in get(reverse("account:user_list")).text,
            "found picture": "Boats" in search,
            "found person": "Alice" in people,
            "board": "Boats" in get(reverse("images:image_list")).text,
            "picture": get(self.boats.get_absolute_url()).status_code == 200,
            "ranking": "Boats" in get(reverse("images:image_ranking")).text,
            "front page": "Boats" in get(reverse("home")).text,
            "sitemap": "/boats/" in get(reverse("sitemap_file", args=["images", file_of(self.boats)])).text,
            "face": self.alice.get_absolute_url() in get(self.hills.get_absolute_url()).text,
            "stream": "Alice" in bob.get(reverse("account:dashboard")).text.split("<aside")[0],
        }

    def setUp(self):
        self.client.get(self.boats.get_absolute_url(), headers=BROWSER)
        flush_views()
        assert set(self.seen().values()) == {True}, self.seen()

    def test_by_the_form(self):
        self.edit(is_active=False)
        assert set(self.seen().values()) == {False}, self.seen()

        self.edit(is_active=True)
        assert set(self.seen().values()) == {True}, self.seen()

    def test_by_the_action_on_many(self):
        assert "Accounts switched off: 1" in self.act("switch_off", self.alice)
        assert set(self.seen().values()) == {False}, self.seen()

        assert "Accounts switched on: 1" in self.act("switch_on", self.alice)
        assert set(self.seen().values()) == {True}, self.seen()

    def test_old_sessions_do_not_come_back_with_the_account(self):
        member = self.client_class()
        member.force_login(self.alice)
        Session.objects.filter(session_key=hashed(member.session.session_key)).update(member=self.alice)

        self.act("switch_off", self.alice)
        self.act("switch_on", self.alice)

        assert member.get(reverse("account:dashboard")).status_code == 302

    def test_nobody_switches_themselves_off(self):
        self.act("switch_off", self.boss)

        self.boss.refresh_from_db()
        assert self.boss.is_active

    def test_who_left_for_good_is_not_switched_on(self):
        self.act("make_nameless", self.alice)
        self.act("switch_on", self.alice)

        self.alice.refresh_from_db()
        assert not self.alice.is_active
