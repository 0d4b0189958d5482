"""Whose picture it is decides who finds its files; a test for each way in which one stops being for everybody."""

import re

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings

from account.tests.factories import make_user
from blog.models import Post, remember
from blog.tests.factories import make_post
from content.orphans import delete_orphans
from content.pictures import files_of, hide, store_picture, thumbnail_name
from content.tests.picture_files import picture_bytes
from content.tests.test_orphans import aged
from images.tests.factories import make_image
from shop.models import Product
from shop.tests.factories import make_picture, make_product


def upload():
    return SimpleUploadedFile("x.png", picture_bytes("PNG"))


def status_at(client, name):
    response = client.get(default_storage.url(name))
    b"".join(response)  # closes the file
    return response.status_code


class GoneInTheNextRequest(TestCase):
    def setUp(self):  # for each test anew, as files know no rollback
        self.alice = make_user("alice", photo=upload())
        self.image = make_image(owner=self.alice, stored=True)

    def assert_moved(self, row, field="file"):
        """Check that nothing answers at the old addresses, and everything at the new ones."""
        old = files_of(getattr(row, field).name)
        row.refresh_from_db()
        new = files_of(getattr(row, field).name)
        assert not set(old) & set(new)
        assert {status_at(self.client, name) for name in old} == {404}
        assert {status_at(self.client, name) for name in new} == {200}

    def test_a_picture_made_private(self):
        self.client.force_login(self.alice)
        form = {"title": self.image.title, "is_private": "on"}
        with self.captureOnCommitCallbacks(execute=True):
            assert self.client.post(f"/images/{self.image.pk}/edit/", form).status_code == 302

        self.assert_moved(self.image)

    def test_a_picture_that_staff_take_down(self):
        with self.captureOnCommitCallbacks(execute=True):
            changed = type(self.image).objects.get(pk=self.image.pk)
            changed.status = changed.Status.FAILED
            changed.save()

        self.assert_moved(self.image)

    def test_photo_and_pictures_of_an_account_that_is_switched_off(self):
        with self.captureOnCommitCallbacks(execute=True):
            type(self.alice).objects.get(pk=self.alice.pk).switch(on=False)

        self.assert_moved(self.image)
        self.assert_moved(self.alice, "photo")

    def test_the_cover_of_a_post_that_is_withdrawn(self):
        post = make_post(cover=upload())
        with self.captureOnCommitCallbacks(execute=True):
            withdrawn = Post.objects.get(pk=post.pk)
            withdrawn.status = Post.Status.DRAFT
            withdrawn.save()

        self.assert_moved(post, "cover")

    def test_a_picture_in_the_text_of_a_post_that_is_withdrawn(self):
        name = store_picture(upload(), "posts").name
        post = make_post(body=f"![Quay](/media/{name}) ![Small](/media/{thumbnail_name(name, 'wide')})")
        revision = remember(post, None)
        with self.captureOnCommitCallbacks(execute=True):
            Post.objects.filter(pk=post.pk).set_status(Post.Status.DRAFT)

        assert {status_at(self.client, old) for old in files_of(name)} == {404}
        post.refresh_from_db()
        revision.refresh_from_db()
        assert revision.body == post.body
        for text in (post.body, post.body_html):
            shown = re.findall(r"/media/([\w/.]+)", text)
            assert len(shown) == 2
            assert {status_at(self.client, new) for new in shown} == {200}

    def test_a_picture_in_the_text_of_a_deleted_post(self):
        name = store_picture(upload(), "posts").name
        post = make_post(body=f"![Quay](/media/{name})")
        with self.captureOnCommitCallbacks(execute=True):
            Post.objects.get(pk=post.pk).delete()

        assert {status_at(self.client, old) for old in files_of(name)} == {404}

    def test_a_picture_of_two_posts_stays_while_one_is_public_and_both_find_it_after(self):
        name = store_picture(upload(), "posts").name
        text = f"![Quay](/media/{name})"
        first, second = make_post(body=text), make_post(body=f"{text} again")
        for post, status in ((first, 200), (second, 404)):
            with self.captureOnCommitCallbacks(execute=True):
                Post.objects.filter(pk=post.pk).set_status(Post.Status.DRAFT)
            assert status_at(self.client, name) == status

        first.refresh_from_db()
        second.refresh_from_db()
        assert first.body in second.body
        assert name not in first.body

    def test_the_cover_of_another_post_stays(self):
        other = make_post(cover=upload())
        post = make_post(body=f"![Quay](/media/{other.cover.name})")
        with self.captureOnCommitCallbacks(execute=True):
            Post.objects.filter(pk=post.pk).set_status(Post.Status.DRAFT)

        assert status_at(self.client, other.cover.name) == 200

    def test_a_cover_that_comes_while_the_post_is_withdrawn_is_kept(self):
        post = make_post(cover=upload())
        old = files_of(post.cover.name)
        with self.captureOnCommitCallbacks(execute=True):
            post.cover, post.status = upload(), Post.Status.DRAFT
            post.save()

        assert status_at(self.client, post.cover.name) == 200
        assert {status_at(self.client, name) for name in old} == {404}

    def test_pictures_of_a_product_that_is_taken_off_show(self):
        picture = make_picture(make_product())
        product = Product.objects.get(pk=picture.product_id)
        product.is_on_show = False
        with self.captureOnCommitCallbacks(execute=True):
            product.save()

        self.assert_moved(picture)

    def test_pictures_of_products_that_are_taken_off_show_together(self):
        picture = make_picture(make_product())
        with self.captureOnCommitCallbacks(execute=True):
            Product.objects.filter(pk=picture.product_id).hide()

        self.assert_moved(picture)

    def test_a_deleted_picture(self):
        with self.captureOnCommitCallbacks(execute=True):
            type(self.image).objects.get(pk=self.image.pk).remove()

        old = files_of(self.image.file.name)
        assert {status_at(self.client, name) for name in old} == {404}

    def test_what_becomes_public_again_is_shown_again(self):
        for is_private in (True, False):
            self.image.refresh_from_db()
            self.image.is_private = is_private
            with self.captureOnCommitCallbacks(execute=True):
                self.image.save()

        page = self.client.get(self.image.get_absolute_url()).content.decode()
        assert self.image.file.name.rpartition(".")[0] in page
        assert status_at(self.client, self.image.file.name) == 200

    def test_a_change_of_words_moves_nothing(self):
        name = self.image.file.name
        changed = type(self.image).objects.get(pk=self.image.pk)
        changed.title = "Another"
        changed.save()

        self.image.refresh_from_db()
        assert self.image.file.name == name

    def test_a_crash_after_the_commit_leaves_what_the_next_sweep_deletes(self):
        with self.captureOnCommitCallbacks():  # what runs after the commit never does
            self.image.is_private = True
            old = self.image.file.name
            self.image.save()
        left = [aged(name) for name in files_of(old)]
        assert all(default_storage.exists(name) for name in left)

        delete_orphans()

        assert not any(default_storage.exists(name) for name in left)
        assert default_storage.exists(self.image.file.name)

    def test_a_change_that_is_rolled_back_keeps_the_old_files(self):
        name = self.image.file.name
        assert hide("") == ""
        with self.captureOnCommitCallbacks():
            new = hide(name)

        assert default_storage.exists(name)
        assert default_storage.exists(new)


class MediaFromDisk(TestCase):
    def setUp(self):
        self.name = store_picture(picture_bytes("PNG"), "images").name

    @override_settings(DEBUG=False)
    def test_a_picture_is_served_with_debug_off_and_harmless(self):
        response = self.client.get(f"/media/{self.name}")

        assert response.status_code == 200
        assert response["Content-Type"] == "image/png"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
        assert response["Cache-Control"] == "private, max-age=3600"
        assert b"".join(response.streaming_content).startswith(b"\x89PNG")

    def test_proxies_keep_the_pictures_of_the_shop_and_none_of_members(self):
        private = make_image(owner=make_user("alice"), stored=True, is_private=True)
        photo = make_user("bob", photo=upload()).photo.name
        product = store_picture(picture_bytes("PNG"), "products").name

        kept = {}
        for name in [*files_of(private.file.name), photo, *files_of(product)]:
            response = self.client.get(default_storage.url(name))
            kept.setdefault(name.partition("/")[0], set()).add(response["Cache-Control"])
            b"".join(response)

        private = {"private, max-age=3600"}
        assert kept == {"images": private, "people": private, "products": {"public, max-age=3600"}}

    def test_a_browser_that_has_it_is_told_so(self):
        response = self.client.get(f"/media/{self.name}")
        b"".join(response)

        again = self.client.get(f"/media/{self.name}", headers={"if-modified-since": response["Last-Modified"]})

        assert again.status_code == 304

    def test_nothing_else_is_handed_out(self):
        default_storage.save("images/page.html", SimpleUploadedFile("x", b"<script>"))

        for name in (
            "images/page.html",
            "images",
            "images/",
            "../db.sqlite3",
            "%2e%2e/db.sqlite3",
            "../a.png",
            "a%00.png",
        ):
            assert self.client.get(f"/media/{name}").status_code in (400, 404), name
