import gzip
import os
import shutil
import subprocess
import sys
import weakref
from ast import literal_eval
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import TestCase, TransactionTestCase, override_settings
from django.test.client import RequestFactory
from django.urls import path, reverse
from django.utils import timezone

from account.models import User
from account.tests.factories import make_user
from blog.models import Post
from blog.tests.factories import make_comment, make_post
from core.caching import memory, pages
from core.caching.pages import PageCache, for_everyone
from core.caching.store import PageStore
from core.caching.versions import recorded, slots_of, versions
from core.tests.waiting import wait_until
from images.tests.factories import make_image
from shop.models import Category

rendered: list[str] = []


@for_everyone("q")
def catalogue(request):
    rendered.append(request.get_full_path())
    return HttpResponse(f"{Category.objects.count()} categories {request.GET.get('q', '')}")


@for_everyone()
def with_cookie(request):
    response = catalogue(request)
    response.set_cookie("seen", "1")
    return response


@for_everyone()
def missing(request):
    rendered.append("missing")
    return HttpResponse("nothing", status=404)


@for_everyone()
def streamed(request):
    rendered.append("streamed")
    return StreamingHttpResponse(["a", "b"])


@for_everyone()
def counted(request):
    request.on_hit = handed
    return HttpResponse("counted")


def handed(environ):
    rendered.append(f"handed to {environ['REMOTE_ADDR']}")


urlpatterns = [
    path("catalogue/", catalogue),
    path("cookie/", with_cookie),
    path("missing/", missing),
    path("streamed/", streamed),
    path("counted/", counted),
]


class Site:
    """A browser that speaks WSGI, because the cache stands before anything the test client reaches."""

    def __init__(self):
        self.folder = Path(mkdtemp())
        weakref.finalize(self, shutil.rmtree, self.folder)
        self.store = PageStore(self.folder)
        self.cache = PageCache(WSGIHandler(), self.store)

    def another_process(self):
        other = Site()
        other.cache = PageCache(WSGIHandler(), PageStore(self.folder))
        return other

    def kept(self):
        """Return what is kept, by key."""
        found = self.store._to_write().execute("SELECT key FROM page ORDER BY number")
        return {literal_eval(key): self.store.get(key) for [key] in found}

    def get(self, address="/catalogue/", method="GET", **environ):
        request = RequestFactory().generic(method, address, **environ)
        request.environ["wsgi.input"] = BytesIO()
        answer = {}

        def start_response(status, headers, exc_info=None):
            answer.update(status=int(status[:3]), headers={name.lower(): value for name, value in headers})

        body = self.cache(request.environ, start_response)
        answer["body"] = b"".join(body)
        return answer


@pytest.fixture(autouse=True)
def nothing_rendered():
    rendered.clear()


@pytest.fixture(autouse=True)
def the_tests_own_connection():
    """Do as Django's test client does: the end of a request must not close the connection the test is using."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@override_settings(ROOT_URLCONF=__name__)
class KeepingTests(TestCase):
    def setUp(self):
        self.site = Site()

    def test_the_second_visitor_gets_the_kept_page(self):
        first, second = self.site.get(), self.site.get()

        assert first["body"] == second["body"] == b"0 categories "
        assert rendered == ["/catalogue/"]
        assert first["headers"]["x-request-id"] != second["headers"]["x-request-id"]

    def test_a_kept_page_needs_no_query(self):
        self.site.get()

        with self.assertNumQueries(0):
            self.site.get()

    def test_addresses_and_hosts_are_kept_apart(self):
        assert self.site.get("/catalogue/?q=a")["body"] != self.site.get("/catalogue/?q=b")["body"]

        self.site.get("/catalogue/?q=a", HTTP_HOST="127.0.0.1")

        assert len(rendered) == 3

    def test_whoever_has_a_session_is_answered_by_django(self):
        self.site.get()
        for cookie in ("sessionid=x", "theme=dark; sessionid=x", "csrftoken=x", "messages=x", 'a="'):
            self.site.get(HTTP_COOKIE=cookie)

        assert len(rendered) >= 5

    def test_a_foreign_cookie_changes_nothing(self):
        self.site.get()
        self.site.get(HTTP_COOKIE="_ga=1")

        assert len(rendered) == 1

    def test_what_others_add_to_a_link_makes_no_other_page(self):  # D88
        links = [
            "/catalogue/",
            "/catalogue/?fbclid=abc",
            "/catalogue/?utm_source=letter&utm_medium=mail",
            "/catalogue/?" + "x" * 999,
        ]
        pages = {self.site.get(link)["body"] for link in links}

        assert pages == {b"0 categories "}
        assert rendered == ["/catalogue/"]

    def test_a_view_sees_only_the_parameters_it_names(self):
        for link in ("/catalogue/?fbclid=abc&q=a%20b&utm_source=letter", "/catalogue/?q=a+b"):
            assert self.site.get(link)["body"] == b"0 categories a b"

        assert rendered == ["/catalogue/?q=a+b"]

    def test_htmx_long_queries_and_posts_go_past_it(self):
        self.site.get()
        self.site.get(HTTP_HX_REQUEST="true")
        for _ in range(2):
            self.site.get("/catalogue/?q=" + "x" * 300)

        assert len(rendered) == 4

    def test_a_query_of_two_hundred_characters_is_kept_and_a_longer_one_is_not(self):
        for length, times in [(198, 1), (199, 2), (1999, 2)]:
            rendered.clear()
            for _ in range(2):
                self.site.get("/catalogue/?q=" + "x" * length)
            assert len(rendered) == times

    def test_languages_are_kept_apart_where_the_site_speaks_several(self):
        for languages, times in [([("en", "English")], 1), ([("en", "English"), ("de", "Deutsch")], 2)]:
            rendered.clear()
            with override_settings(LANGUAGES=languages):
                for accepted in ("en", "de", "en"):
                    self.site.get(f"/catalogue/?q={times}", HTTP_ACCEPT_LANGUAGE=accepted)
            assert len(rendered) == times

    def test_errors_streams_and_answers_with_cookies_are_not_kept(self):
        for _ in range(2):
            self.site.get("/cookie/")
            self.site.get("/missing/")
            assert self.site.get("/streamed/")["body"] == b"ab"

        assert len(rendered) == 6

    def test_each_kept_page_that_is_handed_out_is_counted(self):
        for address in ("8.8.8.8", "9.9.9.9", "9.9.9.9"):
            self.site.get("/counted/", REMOTE_ADDR=address)

        assert rendered == ["handed to 9.9.9.9"] * 2

    def test_a_page_that_no_other_process_could_take_is_kept_by_the_one_that_made_it(self):
        other, site = self.site.another_process(), self.site
        with patch(f"{__name__}.handed", lambda environ: rendered.append("handed")):
            for each in (site, site, other):
                assert each.get("/counted/")["body"] == b"counted"

        assert rendered == ["handed"]

    def test_head_is_answered_from_the_kept_page_without_a_body(self):
        whole = self.site.get()

        head = self.site.get(method="HEAD")

        assert head["body"] == b""
        assert head["headers"]["content-length"] == whole["headers"]["content-length"]
        assert len(rendered) == 1

    def test_a_head_that_comes_first_is_not_kept_as_an_empty_page(self):
        self.site.get(method="HEAD")

        assert self.site.get()["body"] == b"0 categories "

    def test_a_browser_that_has_the_page_is_told_so(self):
        etag = self.site.get()["headers"]["etag"]

        again = self.site.get(HTTP_IF_NONE_MATCH=etag)

        assert (again["status"], again["body"]) == (304, b"")
        assert self.site.get(HTTP_IF_NONE_MATCH='"other"')["status"] == 200

    def test_a_browser_that_unpacks_gets_it_packed(self):
        packed = self.site.get(HTTP_ACCEPT_ENCODING="br, gzip")

        assert packed["headers"]["content-encoding"] == "gzip"
        assert gzip.decompress(packed["body"]) == b"0 categories "
        assert "Accept-Encoding" in packed["headers"]["vary"]
        assert "Cookie" in packed["headers"]["vary"]

    def test_a_page_does_not_live_longer_than_its_time(self):
        self.site.get()

        (page,) = self.site.kept().values()
        self.enterContext(patch.object(memory, "are_hosts_heard", return_value=True))
        for age, times in [(599.9, 1), (600, 2)]:
            with patch.object(memory, "time", SimpleNamespace(monotonic=lambda age=age: page.life.since + age)):
                self.site.get()
            assert len(rendered) == times

    def test_a_page_lives_for_fifteen_seconds_while_another_host_cannot_be_heard(self):
        self.site.get()

        (page,) = self.site.kept().values()
        for age, is_heard, times in [(14.9, False, 1), (15, True, 1), (15, False, 2)]:
            with (
                patch.object(memory, "time", SimpleNamespace(monotonic=lambda age=age: page.life.since + age)),
                patch.object(memory, "are_hosts_heard", return_value=is_heard),
            ):
                self.site.get()
            assert len(rendered) == times

    def test_what_one_process_has_made_all_hand_out(self):
        other = self.site.another_process()

        assert self.site.get()["body"] == other.get()["body"] == b"0 categories "
        assert len(rendered) == 1

    def test_another_release_that_runs_beside_it_makes_its_own(self):
        self.site.get()
        with patch("os.getppid", return_value=1):
            upgraded = self.site.another_process()

        upgraded.get()

        assert len(rendered) == 2

    def test_nor_does_a_container_of_the_same_name_find_the_pages_of_another(self):
        for born, times in [(5, 1), (5, 1), (6, 2)]:
            with patch.object(Path, "read_text", return_value=f"1 (a b) S {'0 ' * 18}{born} 0"):
                container = self.site.another_process()

            container.get()

            assert len(rendered) == times


@override_settings(ROOT_URLCONF=__name__)
class FreshnessTests(TestCase):
    def setUp(self):
        self.site = Site()
        self.site.get()

    @contextmanager
    def committed(self):
        with self.captureOnCommitCallbacks(execute=True):
            yield
        connection.run_on_commit.clear()  # as a real commit would

    def test_every_way_to_write_makes_the_page_old(self):
        with self.committed():
            Category.objects.create(name="Prints", slug="prints")
        assert self.site.get()["body"].startswith(b"1 ")

        with self.committed():
            Category.objects.bulk_create([Category(name="Books", slug="books")])
        assert self.site.get()["body"].startswith(b"2 ")

        with self.committed():
            Category.objects.all().delete()
        assert self.site.get()["body"].startswith(b"0 ")

    def test_a_write_to_what_the_page_does_not_show_does_not(self):
        with self.committed():
            make_user("alice")
            Category.objects.update(name="Booklets")  # the page only counts them

        self.site.get()

        assert len(rendered) == 1

    def test_logging_in_makes_no_page_old(self):
        with self.committed():
            alice = make_user("alice")
        with self.settings(ROOT_URLCONF="config.urls"), recorded() as recording:
            self.client.get("/account/users/alice/")
        before = versions().now()
        its_slots = slots_of(recording.names)

        with self.committed():
            User.objects.filter(pk=alice.pk).update(last_login="2026-01-01T00:00:00Z")
        assert versions().last_change(its_slots) <= before

        with self.committed():
            User.objects.filter(pk=alice.pk).update(first_name="Alicia")
        assert versions().last_change(its_slots) > before

    def test_what_is_rolled_back_does_not(self):
        with self.committed(), pytest.raises(ZeroDivisionError), transaction.atomic():
            Category.objects.create(name="Prints", slug="prints")
            1 / 0  # noqa: B018

        self.site.get()

        assert len(rendered) == 1

    def test_a_write_after_a_rolled_back_savepoint_still_counts(self):
        with self.committed(), transaction.atomic():
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                Category.objects.create(name="Prints", slug="prints")
                1 / 0  # noqa: B018
            Category.objects.create(name="Books", slug="books")

        assert self.site.get()["body"].startswith(b"1 ")

    def test_many_writes_of_one_transaction_are_noted_once(self):
        with self.captureOnCommitCallbacks() as noted:
            for number in range(20):
                Category.objects.update(name=f"Prints {number}")

        assert len(noted) == 1

    def test_without_the_watch_the_page_would_be_wrong(self):
        with patch.object(connection, "execute_wrappers", []), self.committed():
            Category.objects.create(name="Prints", slug="prints")

        assert self.site.get()["body"].startswith(b"0 ")

    def test_a_write_while_the_page_is_made_makes_it_old_at_once(self):
        def write_meanwhile(*args):
            versions().change(["shop_category"])
            return answered(*args)

        answered = pages.page_of
        with patch.object(pages, "page_of", write_meanwhile):
            self.site.get("/catalogue/?q=late")
        self.site.get("/catalogue/?q=late")

        assert rendered.count("/catalogue/?q=late") == 2

    def test_another_process_makes_it_old(self):
        code = "import django; django.setup(); from core.caching.versions import versions; versions().change(['shop_category'])"
        theirs = {"VAR_DIR": str(settings.VAR_DIR), "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "true"}
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **theirs})

        self.site.get()

        assert len(rendered) == 2


class ScheduledTests(TransactionTestCase):
    def test_a_post_appears_at_its_hour_on_pages_that_were_kept_before(self):
        site = Site()
        soon = timezone.now() + timedelta(seconds=1)
        make_post(title="Tomorrow", publish_at=timezone.now() + timedelta(days=1))
        make_post(title="In a second", publish_at=soon)
        assert b"In a second" not in site.get("/blog/")["body"]
        with self.assertNumQueries(0):
            site.get("/blog/")

        wait_until(lambda: timezone.now() > soon)

        assert b"In a second" in site.get("/blog/")["body"]
        assert b"Tomorrow" not in site.get("/blog/")["body"]

    def test_a_comment_makes_old_the_page_of_its_post_and_no_other(self):  # D89
        site, post, other = Site(), make_post(title="One"), make_post(title="Other")
        for each in (post, other):
            site.get(each.get_absolute_url())

        make_comment(post, body="Well said")
        Post.objects.filter(pk=post.pk).update(comment_count=1)

        assert b"Well said" in site.get(post.get_absolute_url())["body"]
        with self.assertNumQueries(0):
            site.get(other.get_absolute_url())


class MadeFromTests(TestCase):
    def test_somebody_elses_session_makes_no_page_old(self):
        """Sessions are written all day long, by carts, logins and the clock of staff's; no visitor's page shows one."""
        alice = make_user("alice")
        image = make_image(owner=alice)
        pages = [alice.get_absolute_url(), image.get_absolute_url()]
        pages += [reverse(name) for name in ("home", "images:image_list", "images:image_ranking", "account:user_list")]
        pages.append(reverse("images:image_list_by_owner", args=["alice"]))

        for url in pages:
            with recorded() as recording:
                assert self.client.get(url).status_code == 200
            assert "account_session" not in recording.tables, url
