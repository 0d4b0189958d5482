from unittest import mock

from django.test import TestCase
from django.urls import reverse

from search.tests.factories import make_document
from search.tests.test_engines import ODD_INPUT

TYPING = {"HX-Request": "true", "HX-Trigger-Name": "q"}


class SearchTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        for number in range(25):
            make_document(f"Vase {number}", "A vase for flowers.", kind="product")
        make_document("On vases", kind="post")

    def get(self, headers=None, **query):
        return self.client.get(reverse("search"), query, headers=headers)

    def test_results_are_shown_with_their_matches_marked(self):
        page = self.get(q="vases").text

        assert "<mark>Vase</mark> 24" in page
        assert "A <mark>vase</mark> for flowers" in page
        assert "26 results" in page
        assert 'value="vases"' in page

    def test_box_without_words_says_what_may_be_typed(self):
        for text in ["", "   ", '"']:
            response = self.get(q=text)
            assert response.status_code == 200
            assert "search-hit" not in response.text

    def test_kinds_narrow_the_results(self):
        assert "1 result" in self.get(q="vase", kind="post").text
        assert "26 results" in self.get(q="vase", kind="nonsense").text
        assert 'aria-current="page"' in self.get(q="vase", kind="post").text

    def test_more_results_are_a_link(self):
        first = self.get(q="vase")
        second = self.client.get(f"{reverse('search')}?q=vase&after={first.context['found'].next}")

        shown = [hit.object_id for page in (first, second) for hit in page.context["found"].hits]
        assert f"after={first.context['found'].next}" in first.text
        assert len(set(shown)) == len(shown) == 26
        assert "More results" not in second.text

    def test_correction_is_told(self):
        page = self.get(q="vsae").text

        assert 'Did you mean <a href="/search/?q=vase">vase</a>?' in page

    def test_nothing_found_is_told_without_trusting_the_text(self):
        page = self.get(q="<script>alert(1)</script>").text

        assert "Nothing found" in page
        assert "<script>alert" not in page

    def test_only_the_results_come_while_typing(self):
        page = self.get(q="vas", headers=TYPING)

        assert "<html" not in page.text
        assert 'id="search-count" role="status" hx-swap-oob="true"' in page.text
        assert "<mark>Vase</mark>" in page.text
        assert "HX-Trigger-Name" in page["Vary"]

    def test_visitor_costs_two_queries_and_no_session(self):
        for query in [{"q": "vase"}, {"q": "vsae"}, {"q": "vase", "kind": "post"}]:
            with self.assertNumQueries(2):
                response = self.get(**query)
            assert not response.cookies
            assert "Cookie" not in response.get("Vary", "")
        with self.assertNumQueries(0):
            self.get()

    def test_odd_input_is_answered(self):
        with mock.patch("search.views.hit", return_value=True):
            for text in ODD_INPUT:
                if "\ud800" in text or len(text) > 10_000:
                    continue
                with self.subTest(text=text[:40]):
                    expected = 400 if "\0" in text else 200
                    assert self.get(q=text[:2000]).status_code == expected
                    assert self.get(q="vase", after=text[:2000], kind=text[:50]).status_code == expected
            assert self.client.get(f"{reverse('search')}?q[]=vase&q=vase&q=bowl").status_code == 200
            assert self.client.get(f"{reverse('search')}?q=%ff%fe").status_code == 200

    def test_flood_is_refused_politely(self):
        for _ in range(30):
            assert self.get(q="vase").status_code == 200

        refused = self.get(q="vase")

        assert refused.status_code == 429
        assert refused["Retry-After"] == "60"
        assert self.get().status_code == 200, "the empty box costs nothing"
        assert self.get(q="vas", headers=TYPING).status_code == 200, "typing is counted apart"

    def test_search_goes_on_without_a_cache_to_count_in(self):
        with (
            mock.patch("config.ratelimit.cache.add", return_value=False),
            mock.patch("config.ratelimit.cache.incr", side_effect=ValueError),
        ):
            assert self.get(q="vase").status_code == 200

    def test_post_is_refused(self):
        assert self.client.post(reverse("search"), headers={"Sec-Fetch-Site": "same-origin"}).status_code == 405
