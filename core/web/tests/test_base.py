"""What every page has in common: the skeleton, and that it costs a visitor without a session nothing."""

from django.conf import settings
from django.core.paginator import Paginator
from django.db import connection
from django.forms import CharField, Form
from django.template.loader import render_to_string
from django.test import RequestFactory, TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from account.tests.factories import make_user


class BasePageTests(TestCase):
    def test_visitor_without_session_gets_no_cookie_and_no_session_query(self):
        with CaptureQueriesContext(connection) as queries:
            response = self.client.get(reverse("home"))

        assert response.status_code == 200
        assert not response.cookies
        assert not [query for query in queries if "session" in query["sql"] or '"account_user"."id" = ' in query["sql"]]
        assert not response.wsgi_request.session.accessed

    def test_member_sees_own_name_and_can_log_out(self):
        self.client.force_login(make_user("alice", first_name="Alice"))

        response = self.client.get(reverse("home"))

        self.assertContains(response, "Alice")
        self.assertContains(response, "Log out")

    def test_only_staff_is_offered_the_admin(self):
        self.client.force_login(make_user("bob"))
        self.assertNotContains(self.client.get(reverse("home")), reverse("admin:index"))

        self.client.force_login(make_user("alice", staff=True))
        self.assertContains(self.client.get(reverse("home")), reverse("admin:index"))

    def test_page_has_no_inline_script_or_style(self):
        html = self.client.get(reverse("home")).content.decode()

        assert "<style" not in html
        assert " style=" not in html
        assert html.count("<script") == html.count("<script src=")

    def test_page_asks_no_foreign_host(self):
        html = self.client.get(reverse("home")).content.decode()

        assert 'src="http' not in html
        assert 'rel="stylesheet" href="http' not in html

    def test_page_says_its_language_letters_and_width(self):  # D41
        page = self.client.get("/").text

        assert '<html lang="en">' in page
        assert '<meta charset="utf-8">' in page
        assert '<meta name="viewport"' in page

    def test_old_place_of_the_icon_leads_to_the_new_one(self):
        response = self.client.get("/favicon.ico")

        assert response.status_code == 302
        assert response["Location"].endswith(".svg")


class NameForm(Form):
    name = CharField(help_text="As on the parcel.")


class FormTests(TestCase):
    def test_error_is_tied_to_its_field_and_listed_on_top(self):
        html = str(NameForm({}))

        assert 'aria-describedby="id_name_helptext id_name_error"' in html
        assert 'id="id_name_error"' in html
        assert 'aria-invalid="true"' in html
        assert 'href="#id_name"' in html

    def test_untouched_form_shows_no_error(self):
        assert "errors" not in str(NameForm())


class PaginationTests(TestCase):
    def render(self, number, query=""):
        request = RequestFactory().get(f"/{query}")
        page = Paginator(range(30), 10).get_page(number)
        return render_to_string("includes/_pagination.html", {"page": page}, request)

    def test_links_keep_the_query_string(self):
        assert 'href="?q=ink&amp;page=3"' in self.render(2, "?q=ink&page=2")

    def test_first_page_is_linked_without_number(self):
        assert 'href="?q=ink"' in self.render(2, "?q=ink&page=2")

    def test_single_page_shows_nothing(self):
        page = Paginator(range(3), 10).get_page(1)
        assert not render_to_string("includes/_pagination.html", {"page": page}).strip()


class ErrorPageTests(TestCase):
    def test_unknown_address_is_a_page_with_a_way_out(self):
        response = self.client.get("/no/such/page")

        self.assertContains(response, "no page at this address", status_code=404)
        self.assertContains(response, f'href="{reverse("home")}"', status_code=404)

    def test_error_page_is_not_indexed(self):
        self.assertContains(self.client.get("/no/such/page"), "noindex", status_code=404)


class HtmxTests(TestCase):
    """Pages of text load no htmx; what they would then leave unheard is not on them."""

    pages = ["home", "about", "terms", "blog:post_list", "login", "account:register"]

    def test_pages_without_htmx_have_no_htmx_attribute(self):
        for name in self.pages:
            with self.subTest(name):
                html = self.client.get(reverse(name)).content.decode()
                assert "htmx-2" not in html
                assert " hx-" not in html

    def test_shop_loads_htmx_and_swaps_forms_with_errors(self):
        html = self.client.get(reverse("shop:product_list")).content.decode()

        assert html.index("htmx-2") < html.index("js/htmx-ways")
        ways = (settings.BASE_DIR / "static/js/htmx-ways.js").read_text()
        assert '{ code: "422", swap: true }' in ways
        assert "allowEval: false" in ways
