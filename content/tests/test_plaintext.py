"""A line of text holds nothing that nobody sees, whichever way it came."""

import unicodedata
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import TestCase
from django.urls import reverse

from account.forms import ProfileForm
from account.models import User
from account.tests.factories import make_staff, make_user
from blog.forms import CommentForm, SharePostForm
from blog.models import Post, Tag
from blog.tests.factories import make_post
from content.plaintext import LineField, without_unseen
from images.forms import ImageForm
from images.models import Image
from mail import outbox
from mail.models import OutgoingMail
from orders.forms import OrderCreateForm
from orders.models import Order
from orders.tests.factories import CONTACT, make_order
from shop.models import Category, Product

UNSEEN = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\u2060\ufeff\u00ad\u180e"
KEPT = [
    "می‌خواهم",  # Persian, with a joiner that keeps letters apart
    "क्‍ष",  # Hindi, with a joiner
    "👩‍👩‍👧 and ❤️‍🔥",
    "مرحبا بالعالم",
    "שלום",
    "日本語",
    "Ça va, O’Neil & Co – 5 €",
    "\u0600١٢٣",  # an Arabic number sign: a format character that is seen
]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_seen_or_joins_is_kept(text):
    assert without_unseen(text) == unicodedata.normalize("NFC", text) == text


@pytest.mark.parametrize("letter", UNSEEN, ids=lambda letter: f"U+{ord(letter):04X}")
def test_what_nobody_sees_is_taken_out(letter):
    assert without_unseen(f"{letter}al{letter}ice{letter}") == "alice"


@pytest.mark.parametrize(
    "text", ["al\u200dice", "\u200calice", "alice\u200d\u200d", "ali\u200b\u200dce", "a\u200d\u200clice"]
)
def test_a_joiner_that_joins_nothing_makes_no_second_name(text):
    assert without_unseen(text) == "alice"


def test_every_name_and_title_is_such_a_line():
    names = {
        User: ["first_name", "last_name"],
        Order: ["first_name", "last_name", "address", "postal_code", "city", "company"],
        Product: ["name"],
        Category: ["name"],
        Tag: ["name"],
        Post: ["title"],
        Image: ["title", "alt"],
    }

    assert all(isinstance(model._meta.get_field(name), LineField) for model, fields in names.items() for name in fields)


BACKWARDS = "\u202eexe.gpj\u2066 ab\u200e"
PLAIN = "exe.gpj ab"


class FormTests(TestCase):
    def test_forms_answer_with_what_is_seen(self):
        forms = {
            "first_name": ProfileForm({"first_name": BACKWARDS}, instance=make_user("alice")),
            "city": OrderCreateForm({"city": BACKWARDS}),
            "title": ImageForm({"title": BACKWARDS}),
            "name": CommentForm({"name": BACKWARDS}),
        }
        for field, form in forms.items():
            form.is_valid()
            assert form.cleaned_data[field] == PLAIN

        share = SharePostForm({"name": "\u202eabc"})
        share.is_valid()
        assert share.cleaned_data["name"] == "abc"

    def test_a_name_of_nothing_else_is_no_name(self):
        form = CommentForm({"name": "\u202e\u200b"})

        assert "name" in form.errors

    def test_staff_too_write_what_is_seen(self):
        staff = make_staff("editor", "shop.add_category", "shop.view_category")
        self.client.force_login(staff)

        data = {"name": BACKWARDS, "slug": "a", "description": ""}
        self.client.post(reverse("admin:shop_category_add"), data)

        assert Category.objects.get().name == PLAIN

    def test_rows_written_by_no_form_hold_what_is_seen(self):
        order = make_order(**CONTACT | {"first_name": BACKWARDS})
        post = make_post("A")
        Tag.objects.create(name="paper", slug="paper")

        post.tags.set(["pa\u200bper", "\u202eink"])

        order.refresh_from_db()
        assert order.first_name == PLAIN
        assert {tag.name for tag in post.tags.all()} == {"paper", "ink"}

    def test_subjects_of_mails_hold_what_is_seen(self):
        context = {"comment": SimpleNamespace(post=SimpleNamespace(title=BACKWARDS))}
        with transaction.atomic():
            outbox.enqueue(
                kind="x", dedup_key="x", to="a@example.com", template="blog/email/comment_waiting", context=context
            )

        subject = OutgoingMail.objects.get().subject
        assert PLAIN in subject
        assert without_unseen(subject) == subject
