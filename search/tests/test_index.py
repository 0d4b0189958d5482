"""The index follows what is written: here groups stand in for whatever an app registers."""

from datetime import timedelta
from io import StringIO
from unittest import mock

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from config.celery import app as celery_app
from core.tests.races import race
from search import index, registry
from search.engines import search
from search.models import Document, Trigram, Word
from search.query import parse
from search.registry import Entry
from search.tasks import learn_due_words
from search.tests.factories import make_document
from search.vocabulary import look_up


def entry_of(group):
    title, _, body = group.name.partition(": ")
    public_from = timezone.datetime(2026, 1, 1, tzinfo=timezone.get_fixed_timezone(0))
    if title.startswith("Hidden"):
        public_from = None
    elif title.startswith("Planned"):
        public_from = timezone.now() + timedelta(hours=1)
    return Entry(title=title, url=f"/groups/{group.pk}/", body=body, public_from=public_from)


@pytest.fixture(autouse=True)
def registered():
    before = dict(registry._registrations)
    registry._registrations.clear()
    registry.register(Group, "group", entry_of)
    yield
    registry._registrations.clear()
    registry._registrations.update(before)


def found(text):
    return [hit.object_id for hit in search(text).hits]


def make_group(name):
    group = Group.objects.create(name=name)
    index.write(group)
    return group


class WriteTests(TestCase):
    def test_written_object_is_found_at_once(self):
        group = make_group("Ceramics: bowls and cups")

        assert found("ceramics") == found("cups") == [group.pk]

    def test_changed_object_is_found_by_its_new_words_only(self):
        group = make_group("Ceramics: bowls")
        group.name = "Typography: letters"
        index.write(group)

        assert found("letters") == [group.pk]
        assert found("bowls") == []
        assert Document.objects.count() == 1

    def test_hidden_object_is_not_in_the_index(self):
        group = make_group("Ceramics")
        group.name = "Hidden ceramics"
        index.write(group)

        assert found("ceramics") == []
        assert not Document.objects.exists()

    def test_removed_object_is_not_found(self):
        group = make_group("Ceramics")
        index.remove(group)

        assert found("ceramics") == []

    def test_many_are_written_in_as_many_queries_as_few(self):
        for number in (2, 40):
            groups = [Group.objects.create(name=f"Batch {number} group {n}") for n in range(number)]
            with self.assertNumQueries(8 if number == 2 else 7):  # the words are new the first time
                index.write_many(groups)

        assert search("group").total == 42

    def test_words_are_counted_once_for_each_document(self):
        group = make_group("Ceramics: ceramics and ceramics")
        index.write(group)
        make_group("More ceramics")

        assert Word.objects.get(word="ceramics").documents == 2

    def test_huge_text_is_cut_and_stored(self):
        group = Group(pk=7, name="Book: " + "word " * 100_000 + "end")
        index.write(group)

        assert found("book") == [7]
        assert len(Document.objects.get().body) == 100_000

    def test_text_that_databases_cannot_hold_is_cleaned(self):
        index.write(Group(pk=7, name="Odd\x00: \ue000mark\ue001 \x00"))

        assert found("odd mark") == [7]

    def test_what_is_found_of_a_person_is_written_from_the_first_to_the_last(self):
        registry.register(
            Group, "group", entry_of, of_person=lambda person: Group.objects.filter(name__startswith=person)
        )
        Group.objects.bulk_create(Group(pk=pk, name=f"Bob {pk}") for pk in range(1, 202))

        index.write_all_of("Bob")
        index.write_all_of("Nobody")

        assert list(Document.objects.order_by("object_id").values_list("object_id", flat=True)) == list(range(1, 202))


def guessed(text):
    """Return what a search for a misspelt word says was meant, found or not."""
    return look_up(parse(text)).better


def vocabulary():
    return dict(Word.objects.values_list("word", "documents"))


class SecretWordTests(TestCase):
    """What search says of a misspelt word tells nobody what stands in texts that are not public."""

    def come(self, group):
        past = timezone.now() - timedelta(seconds=1)
        Document.objects.filter(object_id=group.pk).update(public_from=past, learn_at=past)

    def test_words_of_a_planned_text_are_learnt_when_its_hour_has_come(self):
        group = make_group("Planned takeover: zanzibar")
        index.write(group)
        assert learn_due_words() == 0
        assert (vocabulary(), guessed("zanzibra")) == ({}, {})

        self.come(group)

        assert learn_due_words() == 1
        assert learn_due_words() == 0
        assert guessed("zanzibra") == {"zanzibra": "zanzibar"}
        assert vocabulary() == {"planned": 1, "takeover": 1, "zanzibar": 1}

    def test_words_of_what_is_public_from_this_very_moment_are_learnt_at_once(self):
        with time_machine.travel(timezone.now(), tick=False):
            make_document("Zanzibar")

        assert vocabulary() == {"zanzibar": 1}

    def test_two_hundred_texts_are_learnt_at_a_time(self):
        past = timezone.now() - timedelta(seconds=1)
        Document.objects.bulk_create(
            Document(kind="group", object_id=number, title="Zanzibar", url="/", public_from=past, learn_at=past)
            for number in range(201)
        )

        assert [learn_due_words() for _ in range(3)] == [200, 1, 0]
        assert vocabulary() == {"zanzibar": 201}

    def test_the_clock_finds_the_task_that_learns_them(self):
        assert celery_app.tasks["search.tasks.learn_due_words"].name in settings.SWEEPS

    def test_public_text_that_is_planned_anew_is_forgotten_until_then(self):
        group = make_group("Open: zanzibar")
        group.name = "Planned: zanzibar"
        index.write(group)

        assert (vocabulary(), guessed("zanzibra")) == ({}, {})

    def test_words_of_hidden_removed_and_changed_texts_are_forgotten(self):
        for change in ("hide", "remove", "change", "hide many"):
            with self.subTest(change):
                make_group(f"{change}: ceramics")
                group = make_group(f"Open {change}: ceramics zanzibar")
                assert guessed("zanzibra")
                group.name = "Plain ceramics" if change == "change" else "Hidden"
                index.remove(group) if change == "remove" else index.write_many([group])

                assert guessed("zanzibra") == {}
                assert not Trigram.objects.filter(word_id="zanzibar").exists()
                assert guessed("ceramcis") == {"ceramcis": "ceramics"}

    def test_numbers_are_right_again_after_every_change(self):
        groups = [make_group(f"Group {letter}: ceramics") for letter in "abc"]
        groups[0].name = "Group a: bowls"
        groups[1].name = "Hidden"
        index.write_many(groups)

        assert vocabulary() == {"group": 2, "a": 1, "c": 1, "bowls": 1, "ceramics": 1}

    def test_words_that_are_everywhere_are_left_alone(self):
        group = make_group("Ceramics")
        Word.objects.update(documents=Word.COUNTED)
        index.remove(group)

        assert vocabulary() == {"ceramics": Word.COUNTED}

    def test_reindex_learns_what_is_public_only(self):
        planned, _public = make_group("Planned: zanzibar"), make_group("Ceramics")
        Document.objects.update(learn_at=None)  # as if they had been written before planned texts waited
        Word.objects.create(word="zanzibar")

        call_command("reindex", stdout=StringIO(), stderr=StringIO())

        assert vocabulary() == {"ceramics": 1}
        self.come(planned)
        assert learn_due_words() == 1
        assert vocabulary() == {"ceramics": 1, "planned": 1, "zanzibar": 1}

    def test_removing_takes_as_many_queries_for_long_texts_as_for_short(self):
        for body in ("bowls", " ".join(f"word{a}{b}" for a in "abcdefghij" for b in "abcdefghij")):
            index.write(group := Group(pk=7, name=f"Ceramics: {body}"))
            with self.assertNumQueries(8):
                index.remove(group)


class TransactionTests(TransactionTestCase):
    def test_index_follows_a_rollback(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_group("Ceramics")
            raise IntegrityError

        assert found("ceramics") == []
        assert not Word.objects.exists()

    def test_text_whose_words_cannot_be_counted_is_not_written(self):
        document = Document(kind="group", object_id=1, title="x", url="/", public_from=timezone.now())
        with mock.patch("search.vocabulary.count", side_effect=IntegrityError), pytest.raises(IntegrityError):
            index.save("group", [document])

        assert not Document.objects.exists()

    def test_writers_of_the_same_words_do_not_deadlock(self):
        words = [f"word{letter}{other}" for letter in "abcdefgh" for other in "abcdefgh"]

        def write(number):
            for step in range(3):
                mixed = words[number * 7 :] + words[: number * 7]
                make_group(f"Group {number} {step}"[:30] + ": " + " ".join(mixed[:10]))

        assert race(write, 8) == []
        assert Document.objects.count() == 24

    def test_writers_and_removers_of_the_same_words_count_right(self):
        words = [f"word{letter}" for letter in "abcdefgh"]

        def write_and_remove(number):
            for step in range(3):
                group = make_group(f"Group {number} {step}: " + " ".join(words[number:] + words[:number]))
                index.remove(group)

        assert race(write_and_remove, 8) == []
        assert vocabulary() == {}
        assert not Trigram.objects.exists()


class ReindexTests(TestCase):
    def reindex(self, **options):
        out = StringIO()
        call_command("reindex", stdout=out, stderr=StringIO(), **options)
        return out.getvalue().strip()

    def test_index_is_built_from_nothing(self):
        groups = [Group.objects.create(name=f"Ceramics {number}") for number in range(3)]

        assert self.reindex() == "group: 3 missing, 0 stale, 0 left over"
        assert self.reindex() == "group: 0 missing, 0 stale, 0 left over"
        assert set(found("ceramics")) == {group.pk for group in groups}

    def test_drift_is_reported_and_put_right(self):
        same, *groups = [make_group(f"Ceramics {number}") for number in range(6)]
        for number in (0, 4):
            Group.objects.filter(pk=groups[number].pk).update(name=f"Typography {number}")
        Group.objects.filter(pk=groups[1].pk).update(name="Hidden")
        Group.objects.filter(pk=groups[2].pk).delete()
        Document.objects.filter(object_id=groups[3].pk).delete()
        Document.objects.create(kind="gone", object_id=1, title="x", url="/", public_from=timezone.now())

        with pytest.raises(CommandError, match="differs"):
            self.reindex(check=True)
        assert self.reindex() == "?: 0 missing, 0 stale, 1 left over\ngroup: 1 missing, 2 stale, 2 left over"
        self.reindex(check=True)

        assert set(found("typography")) == {groups[0].pk, groups[4].pk}
        assert set(found("ceramics")) == {same.pk, groups[3].pk}

    def test_check_fails_for_each_kind_of_drift_and_changes_nothing(self):
        index.write(group := Group.objects.create(pk=1, name="Ceramics"))
        self.reindex(check=True)
        stored = Document.objects.values()
        for drift in (
            lambda: Document.objects.all().delete(),
            lambda: Document.objects.update(title="Typography"),
            lambda: Document.objects.create(kind="gone", object_id=1, title="x", url="/", public_from=timezone.now()),
        ):
            drift()
            before = list(stored.all())
            with pytest.raises(CommandError, match="differs"):
                self.reindex(check=True)
            assert list(stored.all()) == before
            self.reindex()

        assert found("ceramics") == [group.pk]

    def test_vocabulary_that_has_drifted_is_counted_anew_but_not_by_a_check(self):
        make_group("Ceramics")
        Word.objects.create(word="ghost", documents=7)

        self.reindex(check=True)
        assert vocabulary() == {"ceramics": 1, "ghost": 7}
        self.reindex()
        assert vocabulary() == {"ceramics": 1}

    def test_only_the_rows_that_are_registered_are_written(self):
        registry.register(Group, "group", entry_of, rows=lambda: Group.objects.exclude(name="Private"))
        make_group("Private")
        Group.objects.create(name="Ceramics")

        assert self.reindex() == "group: 1 missing, 0 stale, 1 left over"

    def test_words_of_what_is_public_from_this_very_moment_are_kept(self):
        with time_machine.travel(timezone.datetime(2026, 1, 1, tzinfo=timezone.get_fixed_timezone(0)), tick=False):
            make_group("Ceramics")
            self.reindex()

        assert vocabulary() == {"ceramics": 1}

    def test_vocabulary_forgets_what_nobody_uses(self):
        group = make_group("Marmalade")
        Group.objects.filter(pk=group.pk).update(name="Ceramics")

        self.reindex()

        assert list(Word.objects.values_list("word", flat=True)) == ["ceramics"]
        assert set(Trigram.objects.values_list("word_id", flat=True)) == {"ceramics"}

    def test_more_objects_than_fit_one_chunk(self):
        Group.objects.bulk_create(Group(name=f"Ceramics {number}") for number in range(450))

        assert self.reindex().startswith("group: 450 missing")
        assert Document.objects.count() == 450
