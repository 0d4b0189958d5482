from datetime import UTC, datetime, timedelta

from django.test import TestCase
from django.utils import timezone

from account.models import User
from account.tests.factories import make_user
from blog.models import Post
from blog.tests.factories import make_post
from core.caching.keptsql import KeptSql

FAR = datetime(9998, 1, 1, tzinfo=UTC)


class KeptSqlTests(TestCase):
    def test_is_compiled_once_and_asks_with_the_values_given(self):
        built = []

        def joined(name, before):
            built.append(name)
            return User.objects.filter(username__in=[name, "always"], date_joined__lt=before).order_by("username")

        kept = KeptSql(joined, "\x01name", FAR)
        for name in ("always", "alice", "bob"):
            make_user(name)
        later = timezone.now() + timedelta(minutes=1)

        def names(*values):
            return [user.username for user in User.objects.raw(*kept.with_values(*values))]

        assert names("alice", later) == ["alice", "always"]
        assert names("bob", later) == ["always", "bob"]
        assert names("bob", later - timedelta(days=1)) == []
        assert names("' OR 1=1 --", later) == ["always"]
        assert len(built) == 1

    def test_a_missing_value_is_an_error(self):
        kept = KeptSql(lambda pk: User.objects.filter(pk=pk), -1)
        with self.assertRaises(ValueError):
            kept.with_values()

    def test_a_row_becomes_the_object_the_orm_would_make(self):
        post = make_post("Walnut", tags=("oak",), author=make_user("alice", first_name="Alice"))
        kept = KeptSql(lambda pk: Post.objects.filter(pk=pk).cards(), -1)

        (row,) = kept.rows(post.pk)

        loaded = Post.objects.cards().get(pk=post.pk)
        with self.assertNumQueries(0):
            assert (row.title, row.author.first_name, str(row)) == ("Walnut", "Alice", "Walnut")
            assert row.publish_at == loaded.publish_at
            assert row.tag_list == loaded.tag_list
            assert row.get_absolute_url() == loaded.get_absolute_url()
        assert row.object.get_deferred_fields() == loaded.get_deferred_fields()

    def test_rows_are_told_apart_by_what_they_show(self):
        kept, other = (KeptSql(User.objects.order_by("pk").only(name).all) for name in ("username", "email"))
        alice = make_user("alice")
        before = kept.rows()[0].shown

        assert kept.rows()[0].shown == before
        assert other.rows()[0].shown != before
        User.objects.filter(pk=alice.pk).update(username="alicia")
        assert kept.rows()[0].shown != before

    def test_the_bounds_of_a_slice_are_values_too(self):
        for name in ("a", "b", "c", "d"):
            make_user(f"{name}-member")
        kept = KeptSql(lambda start, size: User.objects.order_by("username")[start : start + size], 777_777, 55_555)

        def names(*values):
            return [row.username[0] for row in kept.rows(*values)]

        assert (names(0, 2), names(1, 2), names(3, 5)) == (["a", "b"], ["b", "c"], ["d"])
