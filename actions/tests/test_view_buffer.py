from unittest.mock import patch

from django.test import RequestFactory, TestCase

from account.tests.factories import make_user
from actions import popularity, view_buffer

FIREFOX = "Mozilla/5.0 Firefox/150"


class RepeatTests(TestCase):
    def setUp(self):
        self.thing = make_user("alice")
        patcher = patch.object(view_buffer, "_thread")
        patcher.start()
        self.addCleanup(patcher.stop)

    def look(self, **environ):
        request = RequestFactory().get("/", **{"HTTP_USER_AGENT": FIREFOX, **environ})
        popularity.count_view(request, self.thing)
        return request

    def test_a_look_at_a_kept_page_counts_like_any_other(self):
        kept = self.look()

        kept.on_hit({"REQUEST_METHOD": "GET", "REMOTE_ADDR": "10.0.0.2", "HTTP_USER_AGENT": FIREFOX})
        kept.on_hit({"REQUEST_METHOD": "GET", "REMOTE_ADDR": "10.0.0.2", "HTTP_USER_AGENT": FIREFOX})
        view_buffer.count_noted()

        assert popularity.views(self.thing) == 2

    def test_programs_do_not_count_but_the_page_they_leave_counts_others(self):
        kept = self.look(HTTP_USER_AGENT="Googlebot")

        kept.on_hit({"REQUEST_METHOD": "GET", "HTTP_USER_AGENT": "Googlebot"})
        kept.on_hit({"REQUEST_METHOD": "HEAD", "HTTP_USER_AGENT": FIREFOX})
        kept.on_hit({"REQUEST_METHOD": "GET", "HTTP_USER_AGENT": FIREFOX})
        view_buffer.count_noted()

        assert popularity.views(self.thing) == 1
