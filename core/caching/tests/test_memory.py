import threading
from contextlib import closing
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory, TestCase, TransactionTestCase
from django.utils import timezone, translation
from django.utils.safestring import mark_safe

from account.tests.factories import make_user
from core.caching import memory
from core.caching.versions import note_recording, recorded, versions
from shop.models import Category


class Counted:
    """A value for templates that knows how often it was shown."""

    def __init__(self, text="shown"):
        self.text, self.times = text, 0

    def __str__(self):
        self.times += 1
        return self.text


def template(source):
    return Template("{% load fragments i18n %}" + source)


class KeptPartTests(TestCase):
    def test_a_part_is_rendered_once(self):
        part, value = template("{% fragment %}<b>{{ value }}</b>{% endfragment %}"), Counted("<x>")

        first, second = part.render(Context({"value": value})), part.render(Context({"value": value}))

        assert first == second == "<b>&lt;x&gt;</b>"
        assert value.times == 1

    def test_it_is_rendered_for_each_value_that_decides_about_it(self):
        part = template("{% fragment by number %}{{ number }}{% endfragment %}")

        assert [part.render(Context({"number": n})) for n in (1, 2, 1)] == ["1", "2", "1"]

    def test_values_that_are_equal_but_look_different_are_kept_apart(self):
        """Python takes 1, True and 1.0 for the same key, a price with and without its last zero too."""
        part = template("{% fragment by value %}{{ value }}{% endfragment %}")
        inside = template("{% fragment by values %}{{ values.0 }}{% endfragment %}")
        for equal in (
            [1, True, 1.0, Decimal(1), Decimal("1.00")],
            [0.0, -0.0, False],
            ["<b>", mark_safe("<b>")],
        ):
            shown = [str(Template("{{ value }}").render(Context({"value": value}))) for value in equal]
            assert [part.render(Context({"value": value})) for value in equal] == shown
            assert [inside.render(Context({"values": (value,)})) for value in equal] == shown

    def test_an_object_is_no_key_because_it_equals_itself_after_a_change(self):
        with pytest.raises(TypeError, match="what is shown of"):
            template("{% fragment by person %}{{ person }}{% endfragment %}").render(
                Context({"person": make_user("alice")})
            )

    def test_a_part_that_has_to_ask_the_database_is_made_anew(self):
        part = template("{% fragment %}{{ names.count }}{% endfragment %}")
        shown = []
        for name in ("a", "b"):
            Category.objects.create(name=name, slug=name)
            shown.append(part.render(Context({"names": Category.objects.all()})))

        assert shown == ["1", "2"]

    def test_it_is_rendered_for_each_language_and_time_zone(self):
        part, value = template("{% fragment %}{{ value }}{% endfragment %}"), Counted()
        part.render(Context({"value": value}))
        with translation.override("de"):
            part.render(Context({"value": value}))
        with timezone.override("Asia/Tokyo"):
            part.render(Context({"value": value}))

        assert value.times == 3

    def test_without_the_value_it_is_made_anew_each_time(self):
        part, value = template("{% fragment by post.shown %}{{ value }}{% endfragment %}"), Counted()

        for _ in range(2):
            part.render(Context({"post": object(), "value": value}))

        assert value.times == 2

    def test_two_parts_of_one_template_are_kept_apart(self):
        assert template("{% fragment %}a{% endfragment %}{% fragment %}b{% endfragment %}").render(Context()) == "ab"

    def test_nothing_personal_can_get_into_it(self):
        request = RequestFactory().get("/secret/?q=1")
        request.user, request.session = make_user("alice"), self.client.session
        source = "{{ user }}{{ request }}{{ csrf_token }}{{ cart }}{{ messages }}{{ perms }}{{ has_session }}"

        inside = template("{% fragment %}" + source + "{% endfragment %}").render(RequestContext(request))

        assert inside == ""
        assert "Alice" in template(source).render(RequestContext(request))

    def test_what_it_shows_of_a_person_is_named(self):
        part = template("{% with name=user.username %}{% fragment by name %}{{ name }}{% endfragment %}{% endwith %}")

        shown = [part.render(Context({"user": user})) for user in (make_user("alice"), make_user("bob"))]

        assert shown == ["alice", "bob"]
        assert part.render(Context({"user": AnonymousUser()})) == ""

    def test_a_block_cannot_stand_in_it(self):
        with pytest.raises(TemplateSyntaxError, match="every page has its own"):
            template("{% fragment %}{% block a %}{% endblock %}{% endfragment %}")

    def test_words_it_does_not_know_are_refused(self):
        with pytest.raises(TemplateSyntaxError):
            template("{% fragment on x %}{% endfragment %}")

    def test_five_thousand_parts_are_kept_and_the_oldest_goes(self):
        memory.clear()
        for number in range(5010):
            memory.cached_shown(number, lambda: "x")

        assert len(memory._parts) == 5000
        assert [memory.cached_shown(number, lambda: "made again") for number in (10, 5009, 9)] == [
            "x",
            "x",
            "made again",
        ]

    def test_nothing_to_show_is_kept_too(self):
        for made in ("", "made again"):
            assert memory.cached_shown("nothing", lambda made=made: made) == ""


class KeptEachTests(TestCase):
    def rows(self):
        names = Category.objects.order_by("pk").values_list("name", flat=True)
        return [SimpleNamespace(name=name, shown=(name,)) for name in names]

    def render(self, rows):
        with patch("core.templatetags.fragments.render_to_string", side_effect=lambda *args: self.made(*args)):
            return template('{% fragment_each rows "shop/_x.html" "category" eager=True %}').render(
                Context({"rows": rows})
            )

    def made(self, name, context):
        self.times = getattr(self, "times", 0) + 1
        return f"[{context['category'].name}{'!' if context['eager'] else ''}]"

    def test_a_row_that_looks_as_before_is_not_rendered_again(self):
        for name in ("Prints", "Books"):
            Category.objects.create(name=name, slug=name.lower())

        assert [self.render(self.rows()) for _ in range(2)] == ["[Prints!][Books]"] * 2
        assert self.times == 2

    def test_a_row_that_changed_is(self):
        category = Category.objects.create(name="Prints", slug="prints")
        self.render(self.rows())
        Category.objects.filter(pk=category.pk).update(name="Posters")

        assert self.render(self.rows()) == "[Posters!]"


class MadeFromTablesTests(TransactionTestCase):
    def shown(self):
        return memory.cached("names", self.read)

    def read(self):
        return list(Category.objects.order_by("pk").values_list("name", flat=True))

    def test_it_is_kept_while_its_tables_stay_as_they_are(self):
        Category.objects.create(name="Prints", slug="prints")
        self.shown()

        with self.assertNumQueries(0):
            assert self.shown() == ["Prints"]

    def test_a_committed_write_makes_it_old(self):
        self.shown()
        Category.objects.create(name="Prints", slug="prints")
        assert self.shown() == ["Prints"]

        Category.objects.update(name="Books")
        assert self.shown() == ["Books"]

    def test_rows_that_only_a_transaction_sees_are_not_shown_to_others(self):
        self.shown()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Category.objects.create(name="Prints", slug="prints")
            assert self.shown() == ["Prints"]  # it does see its own
            1 / 0  # noqa: B018

        assert self.shown() == []

    def test_a_write_while_it_is_made_makes_it_old_at_once(self):
        key, times = object(), []

        def read():
            names = list(Category.objects.values_list("name", flat=True))
            if not times:
                # After the rows are read and before they are kept, on another connection.
                writer = threading.Thread(target=write)
                writer.start()
                writer.join()
            times.append(names)
            return names

        def write():
            with closing(connection):
                Category.objects.create(name="Prints", slug="prints")

        assert [memory.cached(key, read) for _ in range(2)] == [["Prints"]] * 2
        assert times == [[], ["Prints"]]

    def test_the_same_answer_leaves_what_was_made_from_it_as_it_is(self):
        Category.objects.create(name="Prints", slug="prints")
        names = lambda: list(Category.objects.order_by("pk").values_list("name", flat=True)[:1])  # noqa: E731
        with recorded() as recording:
            memory.cached("first", names)
        its_life = memory.life(recording, versions().now())

        Category.objects.create(name="Books", slug="books")
        assert not its_life.goes_on
        assert its_life.goes_on_when_asked()
        assert its_life.goes_on

        Category.objects.filter(slug="prints").update(name="Etchings")
        assert not its_life.goes_on_when_asked()

    def test_of_an_answer_that_changes_while_the_page_is_made_the_first_counts_too(self):
        names = lambda: list(Category.objects.values_list("name", flat=True))  # noqa: E731
        for ask in (lambda: memory.cached("twice", names), lambda: note_recording(asked())):
            Category.objects.create(name="Prints", slug="prints")

            def asked():
                with recorded() as inner:
                    memory.cached("twice", names)
                return inner

            with recorded() as recording:
                ask()
                Category.objects.all().delete()
                ask()

            assert not memory.life(recording, versions().now()).goes_on_when_asked()

    def test_an_object_that_looks_otherwise_is_another_answer(self):
        """To Python a model's object equals itself as it was before a change."""
        Category.objects.create(name="Prints", slug="prints")
        with recorded() as recording:
            memory.cached("objects", lambda: list(Category.objects.all()))
        its_life = memory.life(recording, versions().now())

        Category.objects.update(name="Etchings")

        assert not its_life.goes_on_when_asked()

    def test_what_asks_nothing_the_second_time_is_another_answer(self):
        """A queryset remembers its rows: it would say for ever what it said first."""
        evaluated_once = Category.objects.all()
        with recorded() as recording:
            memory.cached("rows", lambda: list(evaluated_once))
        its_life = memory.life(recording, versions().now())

        Category.objects.create(name="Prints", slug="prints")

        assert not its_life.goes_on_when_asked()

    def test_what_cannot_be_compared_is_another_answer_each_time(self):
        assert memory.mark_of(lambda: None) != memory.mark_of(lambda: None)
        assert memory.mark_of([1, "a"]) == memory.mark_of([1, "a"])

    def test_it_lives_no_longer_than_its_time(self):
        self.shown()
        cached_at = memory._answers["names"].now.words.life.since

        self.enterContext(patch.object(memory, "are_hosts_heard", return_value=True))
        for age, queries in [(599.9, 0), (600, 1)]:
            clock = SimpleNamespace(monotonic=lambda age=age: cached_at + age)
            with patch.object(memory, "time", clock), self.assertNumQueries(queries):
                self.shown()
