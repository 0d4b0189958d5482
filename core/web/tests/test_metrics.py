import os
from unittest.mock import patch

from django.conf import settings
from django.http import HttpResponse
from django.test import TestCase, TransactionTestCase, override_settings
from django.urls import path, reverse
from prometheus_client.parser import text_string_to_metric_families

from core.caching.pages import for_everyone
from core.caching.tests.test_pages import Site
from core.web import metrics
from tests.processes import told

TOKEN = "a-token-for-tests"
MIDDLEWARE = list(settings.MIDDLEWARE)
MIDDLEWARE.insert(1, "core.web.metrics.measure")


@for_everyone()
def catalogue(request):
    return HttpResponse("catalogue")


urlpatterns = [path("catalogue/", catalogue, name="catalogue")]


def value(text: str, name: str, **labels: str) -> float:
    """Return what the text says of a figure; nothing said is 0."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


class Asking:
    def ask(self, **headers: str) -> HttpResponse:
        return self.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"} | headers)

    def now(self, name: str, **labels: str) -> float:
        return value(self.ask().content.decode(), name, **labels)


@override_settings(METRICS_TOKEN=TOKEN, MIDDLEWARE=MIDDLEWARE)
class MetricsCase(Asking, TestCase):
    pass


class WhoMayAskTests(MetricsCase):
    def test_stranger_finds_nothing(self):
        for given in ("", "Bearer", "Bearer ", "Bearer wrong", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}é"):
            assert self.ask(Authorization=given).status_code == 404, given

    def test_prometheus_may_ask_under_any_host_name_and_without_tls(self):
        with override_settings(SECURE_SSL_REDIRECT=True):
            answer = self.ask(Host="10.0.0.7:8000")

        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")

    def test_without_a_token_there_is_no_such_page_and_nothing_is_counted(self):
        with override_settings(METRICS_TOKEN=""):
            assert self.ask(Authorization="Bearer ").status_code == 404
            with patch.object(metrics, "meters") as meters:
                metrics.count_hit("blog:post_list")
            meters.assert_not_called()
        assert "core.web.metrics.measure" not in settings.MIDDLEWARE or settings.METRICS_TOKEN


class RequestTests(MetricsCase):
    def test_request_is_counted_and_timed_by_view_method_and_status(self):
        labels = {"view": "blog:post_list", "method": "GET", "status": "2xx"}
        before = self.now("atelier_request_seconds_count", **labels)

        self.client.get(reverse("blog:post_list"))
        self.client.post(reverse("blog:post_list"))

        assert self.now("atelier_request_seconds_count", **labels) == before + 1
        assert self.now("atelier_request_seconds_sum", **labels) > 0
        assert self.now("atelier_request_seconds_count", view="blog:post_list", method="POST", status="4xx") >= 1

    def test_addresses_and_methods_that_strangers_make_up_are_one_figure(self):
        self.client.get("/no/such/page/1")
        self.client.get("/no/such/page/2")
        self.client.generic("BREW", "/coffee/")

        text = self.ask().content.decode()
        assert value(text, "atelier_request_seconds_count", view="", method="GET", status="4xx") >= 2
        assert value(text, "atelier_request_seconds_count", view="", method="other") >= 1
        assert "BREW" not in text
        assert "/no/such" not in text

    def test_queries_of_requests_are_counted(self):
        with metrics_on_this_connection():
            before = self.now("atelier_database_queries_total", database="default")
            self.client.get(reverse("account:user_list"))

            assert self.now("atelier_database_queries_total", database="default") > before


def metrics_on_this_connection():
    from django.db import connection

    return connection.execute_wrapper(metrics.time_query)


@override_settings(METRICS_TOKEN=TOKEN, MIDDLEWARE=MIDDLEWARE, ROOT_URLCONF=__name__)
class KeptPageTests(Asking, TransactionTestCase):
    def test_kept_page_is_counted_though_django_never_sees_the_request(self):
        site = Site()
        self.enterContext(patch("core.caching.memory.MAX_AGE", 3600))  # however slow the machine
        before = self.now("atelier_page_cache_hits_total", view="catalogue")

        for _ in range(3):
            site.get()

        assert self.now("atelier_page_cache_hits_total", view="catalogue") == before + 2


class ProcessTests(MetricsCase):
    def test_living_processes_have_numbers_of_their_own_and_a_successor_takes_one_over(self):
        first, its_lock = metrics.take_number()
        second, other_lock = metrics.take_number()
        assert first != second

        os.close(its_lock)
        successor, lock = metrics.take_number()

        assert successor == first
        os.close(lock)
        os.close(other_lock)

    def test_forked_child_takes_another_number_and_leaves_the_parent_its_own(self):
        mine = metrics.process_number()
        readable, writable = os.pipe()
        child = os.fork()
        if not child:
            os.write(writable, str(metrics.process_number()).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writable)
        with os.fdopen(readable) as pipe:
            theirs = int(pipe.read())

        other, lock = metrics.take_number()
        os.close(lock)

        assert theirs != mine
        assert other != mine

    def test_what_other_processes_counted_is_added_though_they_have_ended(self):
        act, where = "meters().hits.labels('elsewhere').inc(2)", "from core.web.metrics import meters"
        before = self.now("atelier_page_cache_hits_total", view="elsewhere")

        for _ in range(2):
            assert told(act, where, METRICS_TOKEN=TOKEN) == "None"

        assert self.now("atelier_page_cache_hits_total", view="elsewhere") == before + 4
