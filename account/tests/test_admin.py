"""What staff may do to the accounts of others, and what only superusers may."""

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import TestCase
from django.urls import NoReverseMatch, reverse

from account import second_factor
from account.tests.factories import code_now, make_staff, make_user
from core.staff.modeladmin import StaffAdmin


class RightsTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.boss = make_user("boss", staff=True)
        cls.helper = make_staff("helper", "account.view_user", "account.change_user", "account.add_user")
        cls.bob = make_user("bob")

    def setUp(self):
        self.client.force_login(self.helper)

    def form_of(self, person, **changes):
        page = self.client.get(reverse("admin:account_user_change", args=[person.pk]))
        fields = page.context["adminform"].form.initial
        names = ["username", "first_name", "last_name", "email", "bio", "link"]
        return {**{name: fields.get(name) or "" for name in names}, "is_active": "on", **changes}

    def change(self, person, **changes):
        url = reverse("admin:account_user_change", args=[person.pk])
        answer = self.client.post(url, self.form_of(person, **changes))
        person.refresh_from_db()
        return answer

    def test_staff_change_a_member_and_nothing_of_their_rights(self):
        answer = self.change(
            self.bob, first_name="Robert", is_staff="on", is_superuser="on", user_permissions=[1], groups=[]
        )

        assert answer.status_code == 302
        assert self.bob.first_name == "Robert"
        assert (self.bob.is_staff, self.bob.is_superuser, self.bob.user_permissions.count()) == (False, False, 0)

    def test_staff_cannot_change_a_superuser_a_colleague_or_themselves(self):
        for person in (self.boss, make_staff("other"), self.helper):
            url = reverse("admin:account_user_change", args=[person.pk])
            data = {"username": person.username, "email": "mine@example.com", "is_active": "on", "is_superuser": "on"}
            assert self.client.post(url, data).status_code == 403
            password = {"password1": "another-long-phrase", "password2": "another-long-phrase"}
            address = reverse("admin:auth_user_password_change", args=[person.pk])
            assert self.client.get(address).status_code == 403
            assert self.client.post(address, {**password, "set-password": "1"}).status_code == 403
            before = (person.email, person.password, person.is_superuser)
            person.refresh_from_db()
            assert (person.email, person.password, person.is_superuser) == before

    def test_staff_cannot_change_a_member_who_has_a_right_they_lack(self):
        self.bob.user_permissions.add(Permission.objects.get(codename="view_order"))

        address = reverse("admin:auth_user_password_change", args=[self.bob.pk])
        assert self.client.get(address).status_code == 403

    def test_no_action_of_staff_touches_a_superuser_or_a_colleague(self):
        other = make_staff("other")
        for action in ("switch_off", "make_nameless", "remove_second_factor"):
            chosen = {"action": action, "_selected_action": [self.boss.pk, other.pk]}
            self.client.post(reverse("admin:account_user_changelist"), chosen)

        for person in (self.boss, other):
            before = person.username
            person.refresh_from_db()
            assert person.is_active, person
            assert person.username == before

    def test_groups_are_for_superusers(self):
        mine = Group.objects.create(name="Helpers")
        self.helper.groups.add(mine)
        wanted = Permission.objects.filter(content_type__app_label="auth", content_type__model="group")
        self.helper.user_permissions.add(*wanted)
        everything = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]

        url = reverse("admin:auth_group_change", args=[mine.pk])
        answer = self.client.post(url, {"name": "Helpers", "permissions": everything})

        assert answer.status_code == 403
        assert mine.permissions.count() == 0
        self.client.force_login(self.boss)
        assert self.client.get(url).status_code == 200

    def test_a_changed_address_is_unproven_until_its_owner_opens_the_mailed_link(self):
        with self.captureOnCommitCallbacks(execute=True):
            self.change(self.bob, email="robert@example.com")

        assert self.bob.email == "robert@example.com"
        assert not self.bob.is_proven
        assert [letter.to for letter in mail.outbox] == [["robert@example.com"], ["bob@example.com"]]

    def test_a_change_beside_the_address_leaves_it_proven(self):
        self.change(self.bob, first_name="Robert")

        assert self.bob.is_proven
        assert mail.outbox == []


class LostPhoneTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.boss = make_user("boss", staff=True)
        cls.bob = make_user("bob")
        factor = second_factor.begin(cls.bob)
        second_factor.confirm(cls.bob, code_now(factor.secret))

    def test_a_superuser_removes_it_and_the_person_gets_in(self):
        self.client.force_login(self.boss)
        self.client.post(
            reverse("admin:account_user_changelist"),
            {"action": "remove_second_factor", "_selected_action": [self.bob.pk]},
        )

        self.bob.refresh_from_db()
        assert not self.bob.has_second_factor
        assert not self.bob.recovery_codes.exists()
        self.client.force_login(self.bob)
        assert self.client.get(reverse("account:dashboard")).status_code == 200

    def test_its_row_alone_cannot_be_deleted(self):
        self.client.force_login(self.boss)
        url = reverse("admin:account_secondfactor_delete", args=[self.bob.second_factor.pk])

        assert self.client.post(url, {"post": "yes"}).status_code == 403


class SiteTests(TestCase):
    def test_every_table_of_the_admin_is_ours(self):
        others = [str(table) for table in admin.site._registry.values() if not isinstance(table, StaffAdmin)]

        assert others == []

    def test_a_package_cannot_bring_its_own_pages(self):
        for name in ("social_django_usersocialauth", "taggit_tag", "axes_accessattempt"):
            with self.assertRaises(NoReverseMatch):
                reverse(f"admin:{name}_changelist")
        self.client.force_login(make_staff("helper"))
        assert self.client.get("/admin/taggit/tag/merge-tags/").status_code == 404

    def test_there_is_no_list_of_sessions(self):
        self.client.force_login(make_staff("helper", "account.view_session"))

        assert self.client.get("/admin/account/session/").status_code == 404
        assert self.client.session.session_key not in self.client.get(reverse("admin:index")).content.decode()
