from django.contrib.auth.models import Permission
from django.test import TestCase
from django.urls import reverse

from account.tests.factories import make_user
from search.tests.factories import make_document


class AdminTests(TestCase):
    def test_index_can_be_read_and_not_changed(self):
        document = make_document("Red vase")
        self.client.force_login(make_user("staff", staff=True))

        for model, text in [("document", "Red vase"), ("word", "vase"), ("trigram", "vas")]:
            with self.subTest(model=model):
                page = self.client.get(reverse(f"admin:search_{model}_changelist"), {"q": text})
                assert page.status_code == 200
                assert text in page.text
                assert self.client.get(reverse(f"admin:search_{model}_add")).status_code == 403

        page = self.client.get(reverse("admin:search_document_change", args=[document.pk]))
        assert 'name="_save"' not in page.text

    def test_texts_are_shown_as_they_were_written(self):
        make_document("東京都庁の建築")
        self.client.force_login(make_user("staff", staff=True))

        page = self.client.get(reverse("admin:search_document_changelist"))

        self.assertContains(page, "東京都庁の建築")

    def test_vocabulary_is_shown_to_superusers_only(self):
        make_document("Red vase")
        colleague = make_user("colleague")
        colleague.is_staff = True
        colleague.save()
        colleague.user_permissions.set(Permission.objects.filter(content_type__app_label="search"))
        self.client.force_login(colleague)

        statuses = {
            model: self.client.get(reverse(f"admin:search_{model}_changelist")).status_code
            for model in ("document", "word", "trigram")
        }

        assert statuses == {"document": 200, "word": 403, "trigram": 403}
