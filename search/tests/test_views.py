from unittest import mock

from django.test import TestCase
from django.urls import reverse

from account.tests.factories import make_user
from search import engines, registry, views
from search.engines import postgresql, sqlite
from search.registry import registrations
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
        assert len(first.context["found"].hits) == 20
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
            mock.patch("core.web.ratelimit.cache.add", return_value=False),
            mock.patch("core.web.ratelimit.cache.incr", side_effect=ValueError),
        ):
            assert self.get(q="vase").status_code == 200

    def test_post_is_refused(self):
        assert self.client.post(reverse("search"), headers={"Sec-Fetch-Site": "same-origin"}).status_code == 405


class WithheldTests(TestCase):
    """What a member is not shown, such as pictures of people they have blocked; here products, two on a page."""

    def setUp(self):
        self.vases = [make_document(f"Vase {number}", kind="product", days=99 - number) for number in range(11)]
        self.enterContext(mock.patch.object(views, "PER_PAGE", 2))
        self.client.force_login(make_user("alice"))

    def found(self, *shown, kind="product"):
        """Return what is found while all vases but these are withheld from members."""
        hidden = {vase.object_id for number, vase in enumerate(self.vases) if number not in shown}
        known = {
            each.kind: each._replace(withheld=lambda viewer, ids: hidden.intersection(ids)) for each in registrations()
        }
        with mock.patch.object(registry, "_registrations", {"of one kind": known[kind]}):
            page = self.client.get(reverse("search"), {"q": "vase"}).context["found"]
        return [hit.object_id for hit in page.hits], page

    def numbers(self, *shown, **options):
        ids, page = self.found(*shown, **options)
        return [number for number, vase in enumerate(self.vases) if vase.object_id in ids], page.total, bool(page.next)

    def test_a_member_is_not_shown_them_and_they_are_not_counted(self):
        assert self.numbers(*range(10)) == ([9], 10, True)
        assert self.numbers(*range(11)) == ([9, 10], 11, True)

    def test_a_visitor_is_shown_all(self):
        self.client.logout()

        assert self.numbers() == ([9, 10], 11, True)

    def test_another_kind_with_the_same_number_is_shown(self):
        assert self.numbers(kind="image") == ([9, 10], 11, True)

    def test_a_page_of_which_nothing_is_left_is_passed_over(self):
        assert self.numbers(0, 1, 2, 5) == ([5], 10, True)
        assert self.numbers(2) == ([2], 10, True)

    def test_after_five_such_pages_the_visitor_is_asked_to_go_on(self):
        assert self.numbers(0) == ([], 9, True)

    def test_at_the_end_of_the_list_nothing_is_left(self):
        with mock.patch.object(views, "PER_PAGE", 6):
            assert self.numbers() == ([], 6, False)

    def test_what_is_too_many_to_count_stays_so(self):
        for module in (engines, postgresql, sqlite):
            self.enterContext(mock.patch.object(module, "RANKED", 10))

        assert self.numbers(10) == ([10], 10, True)
