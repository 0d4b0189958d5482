"""An address of the admin filters by what its page offers, and by nothing else."""

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import RequestFactory, TestCase
from django.urls import reverse

from account import second_factor
from account.tests.factories import make_staff, make_user
from blog.tests.factories import make_post
from core.staff.modeladmin import OF_A_FILTER
from mail import outbox
from orders.tests.factories import make_order

PROBES = ("", "exact", "iexact", "startswith", "istartswith", "contains", "icontains", "regex", "gt", "gte", "lt", "in")


def columns(model, depth=2):
    """Yield every path from the model to a column, through its own keys and those of others that point at it."""
    for field in model._meta.get_fields():
        yield field.name
        if field.is_relation and field.related_model and depth > 1:
            yield from (f"{field.name}__{name}" for name in columns(field.related_model, depth - 1))


class LookupTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.boss = make_user("boss", staff=True)

    def offered(self, table, request):
        filters = [entry[0] if isinstance(entry, tuple) else entry for entry in table.get_list_filter(request)]
        found = {f"{name}{ending}" for name in filters for ending in OF_A_FILTER}
        found |= {f"{name}__id__exact" for name in filters}
        found |= {getattr(entry, "parameter_name", "") for entry in filters}
        return found | set(table.linked_lookups)

    def test_no_table_can_be_asked_for_a_column_that_its_page_does_not_offer(self):
        request = RequestFactory().get("/")
        request.user = self.boss
        asked = 0
        for model, table in admin.site._registry.items():
            offered = self.offered(table, request)
            for name in columns(model):
                for probe in PROBES:
                    lookup = f"{name}__{probe}" if probe else name
                    asked += 1
                    assert table.lookup_allowed(lookup, "a", request) <= (lookup in offered), (table, lookup)
        assert asked > 10_000

    def test_the_secrets_of_the_site_are_not_read_letter_by_letter(self):
        bob = make_user("bob")
        second_factor.begin(bob)
        second_factor.new_recovery_codes(bob)
        order = make_order(buyer=bob)
        with transaction.atomic():
            outbox.enqueue(
                kind="x",
                dedup_key="x",
                to="a@example.com",
                template="account/email/gone",
                context={"user": bob},
                secret=True,
            )
        self.client.force_login(
            make_staff(
                "helper",
                *("account.view_secondfactor", "account.view_recoverycode", "account.view_user", "orders.view_order"),
                *("mail.view_outgoingmail", "blog.view_post", "shop.view_stockalert"),
            )
        )
        for table, query in {
            "account_secondfactor": {"secret__startswith": bob.second_factor.secret[:2]},
            "account_recoverycode": {"digest__startswith": bob.recovery_codes.first().digest[:2]},
            "account_user": {"password__startswith": "argon2"},
            "orders_order": {"token__startswith": order.token[:2]},
            "mail_outgoingmail": {"text__contains": "http"},
            "blog_post": {"preview_key__gt": "0"},
            "shop_stockalert": {"token__gt": "0"},
        }.items():
            answer = self.client.get(reverse(f"admin:{table}_changelist"), query)
            assert answer.status_code == 400, (table, answer.status_code)

    def test_links_and_filters_of_our_own_pages_work(self):
        order = make_order()
        self.client.force_login(self.boss)
        for table, query in {
            "orders_order": {
                "vat_id__exact": "DE1",
                "status__exact": "paid",
                "created_at__gte": "2026-01-01 00:00:00+00:00",
            },
            "payment_payment": {"order__id__exact": order.pk},
            "orders_withdrawal": {"handled_at__isempty": "1"},
            "shop_product": {"category__id__exact": "1", "is_on_show__exact": "1"},
            "images_image": {"created_at__lt": "2026-01-01 00:00:00+00:00", "is_private__exact": "0"},
        }.items():
            answer = self.client.get(reverse(f"admin:{table}_changelist"), query)
            assert answer.status_code == 200, (table, answer.status_code)

    def test_a_search_reads_other_tables_only_for_those_who_may_see_them(self):
        make_post("Oak", author=make_user("alice"))
        self.client.force_login(make_staff("helper", "blog.view_post"))
        url = reverse("admin:blog_post_changelist")

        assert self.client.get(url, {"q": "oak"}).context["cl"].result_count == 1
        assert self.client.get(url, {"q": "alic"}).context["cl"].result_count == 0
        self.client.force_login(make_staff("editor", "blog.view_post", "account.view_user"))
        assert self.client.get(url, {"q": "alic"}).context["cl"].result_count == 1


class OpenOnSiteTests(TestCase):
    """`/admin/r/<table>/<row>/` leads to a row's page, whose address may be a key."""

    def address(self, row):
        return reverse("admin:view_on_site", args=[ContentType.objects.get_for_model(row).pk, row.pk])

    def test_an_orders_page_is_not_opened_by_staff_who_may_not_act_upon_orders(self):
        order = make_order()
        for permissions in ([], ["blog.view_post"], ["orders.view_order"]):
            self.client.force_login(make_staff(f"helper{len(permissions)}{permissions}", *permissions))
            answer = self.client.get(self.address(order))
            assert answer.status_code == 403, permissions
            assert order.token not in str(answer.headers)

        self.client.force_login(make_staff("seller", "orders.change_order"))
        assert order.token in self.client.get(self.address(order))["Location"]

    def test_what_staff_may_see_opens(self):
        post = make_post("Oak")
        self.client.force_login(make_staff("helper", "blog.view_post"))

        assert self.client.get(self.address(post))["Location"].endswith(post.get_absolute_url())

    def test_what_is_no_row_of_ours_is_not_found(self):
        self.client.force_login(make_user("boss", staff=True))
        permission = Permission.objects.first()

        for address in (self.address(permission), "/admin/r/x/1/", "/admin/r/99999/1/", f"/admin/r/{'9' * 40}/1/"):
            assert self.client.get(address).status_code == 404, address
