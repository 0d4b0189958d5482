from datetime import timedelta
from unittest import mock

import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.template.loader import render_to_string
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from account.tests.factories import make_user
from actions import stream
from actions.models import Action, ActionQuerySet
from core.tests.races import MOST, Meeting, no_transaction, race

FOLLOWS, LIKES = Action.Verb.FOLLOWS, Action.Verb.LIKES


class RecordTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")

    def test_the_same_within_a_minute_is_one_action(self):
        assert Action.objects.record(self.alice, FOLLOWS, self.bob)
        assert Action.objects.record(self.alice, FOLLOWS, self.bob) is None

        assert Action.objects.count() == 1

    def test_the_same_after_a_minute_is_another(self):
        with time_machine.travel(timezone.now() - timedelta(seconds=61), tick=False):
            Action.objects.record(self.alice, FOLLOWS, self.bob)

        assert Action.objects.record(self.alice, FOLLOWS, self.bob)

    def test_another_verb_actor_or_target_is_another_action(self):
        charlie = make_user("charlie")

        for actor, verb, target in [
            (self.alice, FOLLOWS, self.bob),
            (self.alice, LIKES, self.bob),
            (self.alice, FOLLOWS, charlie),
            (charlie, FOLLOWS, self.bob),
            (charlie, Action.Verb.REGISTERED, None),
        ]:
            assert Action.objects.record(actor, verb, target)

    def test_target_is_found_again(self):
        Action.objects.record(self.alice, FOLLOWS, self.bob)

        assert Action.objects.get().target == self.bob


class RecordRaceTests(TransactionTestCase):
    def record_at_once(self):
        alice, bob = make_user("alice"), make_user("bob")

        assert race(lambda _: Action.objects.record(alice, FOLLOWS, bob), MOST) == []

        return Action.objects.count()

    def test_twenty_clicks_are_one_action(self):
        assert self.record_at_once() == 1

    def test_without_the_lock_each_of_them_is_one(self):
        # On SQLite the transaction is the lock: it lets one writer in at a time.
        guard = ("_lock", mock.DEFAULT) if connection.vendor == "postgresql" else ("transaction.atomic", no_transaction)
        looks = Meeting(MOST).after(ActionQuerySet.exists)

        with mock.patch(f"actions.models.{guard[0]}", guard[1]), mock.patch.object(ActionQuerySet, "exists", looks):
            assert self.record_at_once() == MOST


class StreamTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob, cls.charlie = make_user("alice"), make_user("bob"), make_user("charlie")

    def act(self, actor, verb, target, *, minutes_ago=0):
        return Action.objects.create(
            actor=actor, verb=verb, target=target, created_at=timezone.now() - timedelta(minutes=minutes_ago)
        )

    def told(self):
        return stream.told(Action.objects.by([self.alice.pk]), self.charlie)

    def test_only_the_people_asked_for_newest_first(self):
        old = self.act(self.bob, FOLLOWS, self.alice, minutes_ago=5)
        new = self.act(self.alice, FOLLOWS, self.bob)
        self.act(self.charlie, FOLLOWS, self.bob)

        assert list(Action.objects.by([self.alice.pk, self.bob.pk])) == [new, old]

    def test_accounts_that_were_switched_off_are_silent(self):
        self.act(self.bob, FOLLOWS, self.alice)
        self.bob.is_active = False
        self.bob.save()

        assert not Action.objects.by([self.bob.pk])
        assert not Action.objects.newest(5)

    def test_newest_are_so_many_in_order(self):
        acts = [self.act(self.bob, FOLLOWS, self.alice, minutes_ago=minutes) for minutes in (3, 1, 2)]

        assert list(Action.objects.exclude(pk=acts[0].pk).newest(2)) == [acts[1], acts[2]]
        assert list(Action.objects.newest(1)) == [acts[1]]

    def test_gone_targets_do_not_show(self):
        gone = make_user("gone")
        self.act(self.alice, FOLLOWS, gone)
        self.act(self.alice, FOLLOWS, self.bob)
        gone.delete()

        assert [[target.pk for target in line.targets] for line in self.told()] == [[self.bob.pk]]

    def test_targets_of_a_model_that_is_gone_do_not_show(self):
        Action.objects.create(actor=self.alice, verb=LIKES, target_kind="chess.board", target_id=1)

        assert self.told() == []

    def test_withheld_targets_do_not_show(self):
        self.act(self.alice, LIKES, Group.objects.create(name="private"))
        self.act(self.alice, LIKES, Group.objects.create(name="public"))

        def shown_to(viewer):
            return Group.objects.filter(name="public")

        with mock.patch.object(Group._default_manager, "shown_to", shown_to, create=True):
            shown = self.told()

        assert [target.name for line in shown for target in line.targets] == ["public"]

    def test_as_many_queries_for_two_actions_as_for_forty(self):
        self.charlie.hidden_ids()  # asked once a page

        def queries():
            with self.assertNumQueries(3):  # actions, people, groups
                stream.latest([self.alice.pk], self.charlie)

        self.act(self.alice, FOLLOWS, self.bob)
        self.act(self.alice, LIKES, Group.objects.create(name="first"))
        queries()
        for number in range(20):
            self.act(self.alice, FOLLOWS, make_user())
            self.act(self.alice, LIKES, Group.objects.create(name=f"group {number}"))
        queries()

    def test_what_a_line_shows_is_all_read_at_once(self):
        self.act(self.alice, FOLLOWS, self.bob)
        lines = self.told()

        with self.assertNumQueries(0):
            render_to_string("actions/_stream.html", {"lines": lines})

    def test_runs_of_the_same_act_are_one_line(self):
        groups = [Group.objects.create(name=f"group {number}") for number in range(5)]
        for number, group in enumerate(groups):
            self.act(self.alice, LIKES, group, minutes_ago=number)
        self.act(self.bob, LIKES, groups[0], minutes_ago=10)
        self.act(self.alice, LIKES, groups[0], minutes_ago=20)

        lines = stream.latest([self.alice.pk, self.bob.pk], self.charlie)

        assert [(line.act.username, len(line.targets)) for line in lines] == [("alice", 5), ("bob", 1), ("alice", 1)]
        assert (lines[0].things, lines[0].unnamed, lines[1].things) == ("groups", 2, "")

    def test_targets_are_read_for_about_as_many_lines_as_are_shown(self):
        groups = [Group.objects.create(name=f"group {number}") for number in range(12)]
        for number, group in enumerate(groups):
            self.act(self.alice if number % 2 else self.bob, LIKES, group, minutes_ago=number)

        with mock.patch.object(stream, "_targets", wraps=stream._targets) as asked:
            lines = stream.latest([self.alice.pk, self.bob.pk], self.charlie, limit=3)

        assert [line.targets[0].name for line in lines] == ["group 0", "group 1", "group 2"]
        assert len(asked.call_args.args[0]) == 4

    def test_a_run_ends_after_half_a_day(self):
        for number in range(2):
            self.act(self.alice, LIKES, Group.objects.create(name=str(number)), minutes_ago=number * 13 * 60)

        assert len(stream.latest([self.alice.pk], self.charlie)) == 2

    def test_stream_is_told_in_words(self):
        for number in range(5):
            self.act(self.alice, LIKES, Group.objects.create(name=f"<group {number}>"), minutes_ago=number)
        self.act(self.bob, Action.Verb.REGISTERED, None, minutes_ago=9)

        html = render_to_string(
            "actions/_stream.html", {"lines": stream.latest([self.alice.pk, self.bob.pk], self.charlie)}
        )

        words = " ".join(html.split())
        assert "liked 5 groups:" in words
        assert "and 2 more" in words
        assert "&lt;group 0&gt;" in words
        assert "joined" in words
        assert "9 minutes ago" in words

    def test_empty_stream_says_what_to_do(self):
        assert "Follow people" in render_to_string("actions/_stream.html", {"lines": []})
