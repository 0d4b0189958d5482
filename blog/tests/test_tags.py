from types import SimpleNamespace

from django.template import Context, Template
from django.test import TestCase

from account.tests.factories import make_user
from blog.models import Post
from blog.tests.factories import make_post


def rendered(text, **context):
    return Template("{% load blog_tags %}" + text).render(Context(context))


class TemplateTagTests(TestCase):
    def test_posts_of_a_person(self):
        alice = make_user("alice")
        make_post("Hers", author=alice)
        make_post("Her draft", author=alice, published=False)
        make_post("Of another")

        with self.assertNumQueries(1):
            html = rendered("{% posts_of person %}", person=alice)

        assert "Hers" in html
        assert "draft" not in html
        assert "another" not in html
        assert rendered("{% posts_of person %}", person=make_user()).strip() == ""

    def test_posts_about_a_product_whatever_its_slug_is_today(self):
        product = SimpleNamespace(get_absolute_url=lambda: "/shop/12/oak-box-renamed/")
        post = make_post("How we made it", body="See [the box](/shop/12/oak-box/) and http://x.test/shop/13/y/.")
        make_post("With the whole address", body="[x](http://127.0.0.1:8000/shop/12/a/)")
        make_post("Of another", body="[x](/shop/1/a/)")
        make_post("Draft", body="[x](/shop/12/a/)", published=False)

        with self.assertNumQueries(1):
            html = rendered("{% posts_about product %}", product=product)

        assert "How we made it" in html
        assert "With the whole address" in html
        assert "Of another" not in html
        assert "Draft" not in html

        post.body = "Changed."
        post.save()
        assert "How we made it" not in rendered("{% posts_about product %}", product=product)
        assert Post.objects.mentioning("/shop/13/").count() == 0


class KeptCardTests(TestCase):
    def test_a_card_changes_with_everything_it_shows(self):
        post = make_post("Old title", tags=("oak",), author=make_user("alice", first_name="Alice"))
        self.assertContains(self.client.get("/blog/"), "Old title")

        Post.objects.update(title="New title", summary="New words", comment_count=3)
        post.author.first_name = "Alicia"
        post.author.save()
        post.tags.set(["ash"])

        page = self.client.get("/blog/")
        for shown in ("New title", "New words", "3 comments", "Alicia", "ash"):
            self.assertContains(page, shown)
        for gone in ("Old title", "Alice<", ">oak"):
            self.assertNotContains(page, gone)
