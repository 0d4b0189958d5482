from django.test import TestCase
from django.urls import reverse

from account.tests.factories import make_user
from actions.models import Action, View, ViewBatch, ViewCount
from actions.page_views import today


class AdminTests(TestCase):
    def test_history_can_be_read_and_not_written(self):
        staff = make_user("staff", staff=True)
        self.client.force_login(staff)
        Action.objects.record(staff, Action.Verb.FOLLOWS, make_user("bob"))
        ViewCount.objects.create(target_kind="blog.post", target_id=7, views=3)
        View.objects.create(target_kind="blog.post", target_id=7, visitor="x", seen_on=today())
        ViewBatch.objects.create(number="abc")

        for model, text in [
            ("action", "account.user"),
            ("viewcount", "blog.post"),
            ("view", "blog.post"),
            ("viewbatch", "abc"),
        ]:
            with self.subTest(model=model):
                assert text in self.client.get(reverse(f"admin:actions_{model}_changelist")).text
                assert self.client.get(reverse(f"admin:actions_{model}_add")).status_code == 403
