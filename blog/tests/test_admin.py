from datetime import timedelta
from unittest import mock

import time_machine
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from blog.models import BannedAddress, Comment, OldAddress, Post, Tag
from blog.tests.factories import make_comment, make_post
from content import markdown


class AdminTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("editor", staff=True, first_name="Edith")
        cls.post = make_post("About oak", tags=("oak",), body="One\n\nTwo", author=cls.editor)
        cls.url = reverse("admin:blog_post_change", args=[cls.post.pk])

    def setUp(self):
        self.client.force_login(self.editor)

    def form(self, **fields):
        """What the browser sends when the form is saved as it is, with some fields changed."""
        form = self.client.get(self.url).context["adminform"].form
        data = {name: form[name].value() for name in form.fields}
        data["publish_at_0"], data["publish_at_1"] = data.pop("publish_at").strftime("%Y-%m-%d %H:%M:%S").split()
        data["tags"] = ", ".join(tag.name for tag in data["tags"])
        data |= {"cover": ""} | self.addresses()
        return {name: value for name, value in (data | fields).items() if value is not None and value is not False}

    def addresses(self):
        number = self.post.old_addresses.count()
        ids = self.post.old_addresses.values_list("pk", flat=True)
        forms = {
            f"old_addresses-{n}-{name}": value
            for n, pk in enumerate(ids)
            for name, value in (("id", pk), ("post", self.post.pk))
        }
        return forms | {"old_addresses-TOTAL_FORMS": number, "old_addresses-INITIAL_FORMS": number}


class PostFormTests(AdminTests):
    def test_saves_post_and_tags_and_keeps_both_texts(self):
        response = self.client.post(self.url, self.form(title="About ash", tags="ash, 日本語", body="Three"))

        self.assertRedirects(response, reverse("admin:blog_post_changelist"))
        post = Post.objects.get(pk=self.post.pk)
        assert (post.title, post.body_html) == ("About ash", "<p>Three</p>")
        assert [tag["name"] for tag in post.tag_list] == ["ash", "日本語"]
        assert [(revision.title, revision.tags) for revision in post.revisions.all()] == [
            ("About ash", ["ash", "日本語"]),
            ("About oak", ["oak"]),
        ]

    def test_lists_filter_search_and_count(self):
        page = self.client.get(
            reverse("admin:blog_post_changelist"), {"q": "oak", "status__exact": "published", "_facets": "True"}
        )

        self.assertContains(page, "About oak")
        assert (
            self.client.get(reverse("admin:blog_post_add")).context["adminform"].form["author"].value()
            == self.editor.pk
        )

    def test_list_tells_drafts_scheduled_and_published_posts_apart(self):
        make_post(published=False)
        make_post(publish_at=timezone.now() + timedelta(days=1))

        page = self.client.get(reverse("admin:blog_post_changelist"))

        for standing in ("draft", "scheduled", "published"):
            self.assertContains(page, f'<td class="field-standing">{standing}</td>')

    def test_second_editor_is_warned_and_loses_nothing(self):
        mine = self.form(body="My text")
        self.client.post(self.url, self.form(body="Their text"))

        warned = self.client.post(self.url, mine)
        self.assertContains(warned, "has changed this post")
        self.assertContains(warned, "My text")
        assert Post.objects.get(pk=self.post.pk).body == "Their text"

        version = warned.context["adminform"].form["seen_version"].value()
        self.client.post(self.url, mine | {"seen_version": version})
        post = Post.objects.get(pk=self.post.pk)
        assert post.body == "My text"
        assert "Their text" in post.revisions.values_list("body", flat=True)

    def test_too_slow_or_too_long_markdown_is_a_field_error(self):
        with mock.patch("content.markdown.render", side_effect=markdown.TooSlow):
            response = self.client.post(self.url, self.form(body="[" * 50_000))
        self.assertContains(response, "takes too long")

        response = self.client.post(self.url, self.form(body="x" * 100_001))
        self.assertContains(response, "too long")
        assert Post.objects.get(pk=self.post.pk).body == "One\n\nTwo"

    def test_slug_taken_on_that_day_is_a_field_error(self):
        other = make_post(slug="taken", publish_at=self.post.publish_at)

        response = self.client.post(self.url, self.form(slug=other.slug))

        self.assertContains(response, "Another post of that day has this slug")

    def test_actions_publish_withdraw_and_delete(self):
        draft = make_post(published=False, tags=("oak",))
        changelist = reverse("admin:blog_post_changelist")
        selected = {"_selected_action": [draft.pk, self.post.pk]}

        self.client.post(changelist, {"action": "publish", **selected})
        assert Tag.objects.get(name="oak").post_count == 2
        self.client.post(changelist, {"action": "withdraw", **selected})
        assert Tag.objects.get(name="oak").post_count == 0
        self.client.post(changelist, {"action": "delete_selected", "post": "yes", **selected})
        assert not Post.objects.exists()


class MarkdownPreviewTests(AdminTests):
    def test_shows_clean_html_as_page_or_part(self):
        url = reverse("admin:blog_post_render")
        data = {"title": "T", "body": "**bold** <script>x</script>"}

        page = self.client.post(url, data)
        part = self.client.post(url, data, headers={"x-requested-with": "fetch"})

        self.assertContains(page, "<strong>bold</strong>")
        self.assertContains(page, "<html")
        self.assertNotContains(part, "<html")
        self.assertNotContains(part, "<script>")
        assert self.client.get(url).status_code == 405
        with mock.patch("content.markdown.render", side_effect=markdown.TooSlow):
            assert self.client.post(url, {"body": "[" * 50_000}).status_code == 422

    def test_is_for_editors_only(self):
        url = reverse("admin:blog_post_render")
        self.client.force_login(make_user())
        assert self.client.post(url, {"body": "x"}).status_code == 302
        helper = make_user("helper")
        helper.is_staff = True
        helper.save()
        self.client.force_login(helper)
        assert self.client.post(url, {"body": "x"}).status_code == 403


class PreviewLinkTests(AdminTests):
    def setUp(self):
        super().setUp()
        self.draft = make_post("Secret plans", published=False)
        self.page = reverse("admin:blog_post_preview_link", args=[self.draft.pk])

    def link(self):
        return self.client.get(self.page).context["link"].removeprefix("http://127.0.0.1:8000")

    def test_shows_a_draft_to_anybody_who_has_it_and_to_no_search_engine(self):
        link = self.link()
        self.client.logout()

        response = self.client.get(link)

        self.assertContains(response, "Secret plans")
        assert "noindex" in response["X-Robots-Tag"]
        assert "no-store" in response["Cache-Control"]
        self.assertNotContains(response, "canonical")

    def test_dies_when_revoked_forged_or_old(self):
        link = self.link()
        assert self.client.get(link[:-3] + "/").status_code == 404
        with time_machine.travel(timezone.now() + timedelta(days=15)):
            assert self.client.get(link).status_code == 404
        self.client.force_login(self.editor)  # the journey through time has ended the session

        self.client.post(self.page)

        assert self.client.get(link).status_code == 404
        assert self.client.get(self.link()).status_code == 200


class RevisionTests(AdminTests):
    def setUp(self):
        super().setUp()
        self.client.post(self.url, self.form(body="One\n\nThree", tags="ash", title="About ash"))
        self.first = Post.objects.get(pk=self.post.pk).revisions.last()
        self.page = reverse("admin:blog_post_revision", args=[self.post.pk, self.first.version])

    def test_differences_are_shown(self):
        self.assertContains(self.client.get(reverse("admin:blog_post_revisions", args=[self.post.pk])), "Edith")
        page = self.client.get(self.page)

        self.assertContains(page, "<del>Two</del>")
        self.assertContains(page, "<ins>Three</ins>")

    def test_restore_keeps_what_it_replaces(self):
        seen = Post.objects.get(pk=self.post.pk).version
        self.client.post(self.page, {"seen_version": seen})

        post = Post.objects.get(pk=self.post.pk)
        assert (post.title, post.body, post.tag_list[0]["name"]) == ("About oak", "One\n\nTwo", "oak")
        assert [revision.body for revision in post.revisions.all()] == ["One\n\nTwo", "One\n\nThree", "One\n\nTwo"]

    def test_restore_over_a_text_nobody_saw_is_refused(self):
        seen = Post.objects.get(pk=self.post.pk).version
        self.client.post(self.url, self.form(body="Newest"))

        self.client.post(self.page, {"seen_version": seen})

        assert Post.objects.get(pk=self.post.pk).body == "Newest"


class CommentAdminTests(AdminTests):
    def act(self, action, *comments):
        url = reverse("admin:blog_comment_changelist")
        self.client.post(url, {"action": action, "_selected_action": [comment.pk for comment in comments]})
        return Post.objects.get(pk=self.post.pk).comment_count

    def test_actions_keep_the_count(self):
        first, second = make_comment(self.post, state="waiting"), make_comment(self.post, state="waiting")

        assert self.act("approve", first, second) == 2
        assert self.act("hide", first) == 1
        assert self.act("ban", second) == 0
        assert BannedAddress.covers(second.email)

    def test_form_keeps_the_count(self):
        comment = make_comment(self.post, state="waiting")
        url = reverse("admin:blog_comment_change", args=[comment.pk])
        form = self.client.get(url).context["adminform"].form
        data = {name: form[name].value() or "" for name in form.fields}
        data["created_at_0"], data["created_at_1"] = comment.created_at.strftime("%Y-%m-%d %H:%M:%S").split()

        self.client.post(url, data | {"state": "approved"})

        assert Comment.objects.get(pk=comment.pk).state == "approved"
        assert Post.objects.get(pk=self.post.pk).comment_count == 1


class TagAdminTests(AdminTests):
    def test_merge_moves_posts_and_sends_old_links_on(self):
        both = make_post(tags=("oak", "Oak wood"))
        only = make_post(tags=("Oak wood",))
        url = reverse("admin:blog_tag_changelist")
        tags = {tag.name: tag for tag in Tag.objects.all()}
        data = {"action": "merge", "_selected_action": [tag.pk for tag in tags.values()]}

        self.assertContains(self.client.post(url, data), "Tag that stays")
        self.client.post(url, data | {"target": tags["oak"].pk})

        assert list(Tag.objects.values_list("name", "post_count")) == [("oak", 3)]
        for post in (both, only):
            assert [tag["slug"] for tag in Post.objects.get(pk=post.pk).tag_list] == ["oak"]
        self.assertRedirects(self.client.get("/blog/tag/oak-wood/"), "/blog/tag/oak/", status_code=301)
        assert self.client.get("/blog/tag/oak-wood/feed/").status_code == 301

    def test_renamed_tag_is_new_everywhere_and_its_old_address_leads_on(self):
        tag = Tag.objects.get(name="oak")
        url = reverse("admin:blog_tag_change", args=[tag.pk])

        self.client.post(url, {"name": "English oak", "slug": "english-oak"})

        assert Post.objects.get(pk=self.post.pk).tag_list[0]["name"] == "English oak"
        self.assertRedirects(self.client.get("/blog/tag/oak/"), "/blog/tag/english-oak/", status_code=301)
        assert self.client.get("/blog/search/", {"query": "english"}).context["found"].total == 1

    def test_deleted_tag_leaves_its_posts(self):
        Tag.objects.get(name="oak").delete()
        assert Post.objects.get(pk=self.post.pk).tag_list == []


class MovedPostTests(AdminTests):
    def test_old_slug_and_old_date_lead_to_the_post(self):
        old = self.post.get_absolute_url()
        self.client.post(self.url, self.form(slug="new-slug"))
        middle = Post.objects.get(pk=self.post.pk).get_absolute_url()
        self.client.post(self.url, self.form(publish_at_0="2020-01-02"))
        post = Post.objects.get(pk=self.post.pk)

        for address in (old, middle):
            self.assertRedirects(self.client.get(address), post.get_absolute_url(), status_code=301)

        self.client.post(self.url, self.form(status="draft"))
        assert self.client.get(old).status_code == 404

    def test_a_post_that_returns_to_its_address_does_not_chase_itself(self):
        old = self.post.slug
        self.client.post(self.url, self.form(slug="new-slug"))
        self.client.post(self.url, self.form(slug=old))

        assert self.client.get(self.post.get_absolute_url()).status_code == 200
        assert list(OldAddress.objects.values_list("slug", flat=True)) == ["new-slug"]


class OtherPagesTests(AdminTests):
    def test_every_list_opens(self):
        make_comment(self.post)
        for model in ("comment", "bannedaddress", "tag", "tagalias", "postcount", "revision", "oldaddress", "mention"):
            assert self.client.get(reverse(f"admin:blog_{model}_changelist")).status_code == 200


class EmptyPost(TestCase):
    """A writer presses the button before the first word is written."""

    def setUp(self):
        self.client.force_login(make_user("chief", staff=True))

    def test_saving_it_shows_the_form_again(self):
        page = self.client.post(reverse("admin:blog_post_add"), {"title": "Later", "body": ""})

        self.assertContains(page, "This field is required.", status_code=page.status_code)
        assert not Post.objects.exists()

    def test_its_preview_is_empty(self):
        assert self.client.post(reverse("admin:blog_post_render"), {"title": "Later", "body": ""}).status_code == 200
