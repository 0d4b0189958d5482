"""The start page of the admin shows what waits and what people come for; the rest stays out of the way."""

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_staff, make_user
from blog.models import Comment
from blog.tests.factories import make_comment, make_post
from config.templatetags.staff import menu, waiting
from payment.models import Problem


class StartPage(TestCase):
    def setUp(self):
        self.staff = make_user("staff", staff=True)
        self.client.force_login(self.staff)

    def start(self):
        return self.client.get(reverse("admin:index"))

    def test_waiting_comments_are_told_and_lead_to_themselves(self):
        make_comment(make_post("Ink"), state=Comment.State.WAITING)

        [(words, address)] = waiting(self.staff)

        assert words == "1 comment waits"
        assert address in self.start().content.decode()
        assert list(self.client.get(address).context["cl"].queryset) == list(Comment.objects.all())

    def test_problems_are_told_until_they_are_resolved(self):
        problem = Problem.objects.create(key="a", text="Paid twice")
        assert [words for words, _address in waiting(self.staff)] == ["1 payment problem"]

        problem.resolved_at = timezone.now()
        problem.save()
        assert waiting(self.staff) == []

    def test_nothing_is_told_to_those_who_may_not_see_it(self):
        make_comment(make_post("Ink"), state=Comment.State.WAITING)
        Problem.objects.create(key="a", text="Paid twice")

        assert waiting(make_user("bob")) == []

    def test_everyday_tables_come_before_the_machinery(self):
        page = self.start().content.decode()

        assert page.index(reverse("admin:blog_post_changelist")) < page.index("Behind the scenes")
        assert page.index("Behind the scenes") < page.index(reverse("admin:search_document_changelist"))

    def test_everybody_sees_the_tables_they_may_see(self):
        self.start()
        for name in ("shop.view_product", "blog.view_post"):
            self.client.force_login(make_staff(name.replace(".", "-"), name))
            apps = self.start().context["app_list"]
            assert [app["app_label"] for app in apps] == [name.partition(".")[0]]

    def test_machinery_is_unfolded_on_its_own_pages_only(self):
        apps = self.start().context["app_list"]

        assert menu(apps, reverse("admin:search_word_changelist"))["is_open"]
        assert not menu(apps, reverse("admin:blog_post_changelist"))["is_open"]
