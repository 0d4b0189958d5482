"""Orders without VAT: who gets them, what they cost, and what the papers say."""

from decimal import Decimal

from django.core.files.storage import storages
from django.db import transaction
from django.test import SimpleTestCase, TestCase, override_settings

from account.tests.factories import make_user
from cart.models import Coupon
from mail.models import OutgoingMail
from orders import audit, checks, invoice, vat, vat_rules
from orders.models import Invoice, Order, ShippingRate, VatId
from orders.tests.factories import make_item
from orders.tests.test_order_create import CREATE, CheckoutCase
from orders.vat_rules import Relief

AUSTRIAN = "ATU12345675"
seller = {"SELLER_COUNTRY": "DE", "SELLER_VAT_ID": "DE123456788"}


# One of each member state, made up, with check digits that fit.
IDS = {
    "AT": "ATU12345675",
    "BE": "BE0123456749",
    "BG": "BG123456786",
    "CY": "CY11000000E",
    "CZ": "CZ12345679",
    "DE": "DE123456788",
    "DK": "DK12345674",
    "EE": "EE123456780",
    "ES": "ESX1234567L",
    "FI": "FI12345671",
    "FR": "FR11123456782",
    "GR": "EL123456783",
    "HR": "HR12345678903",
    "HU": "HU12345676",
    "IE": "IE1234567FA",
    "IT": "IT12345678887",
    "LT": "LT123456715",
    "LU": "LU12345613",
    "LV": "LV41234567891",
    "MT": "MT12345671",
    "NL": "NL123456782B01",
    "PL": "PL1234567819",
    "PT": "PT123456789",
    "RO": "RO12345674",
    "SE": "SE123456789701",
    "SI": "SI12345679",
    "SK": "SK1234567895",
}


class FormatTests(SimpleTestCase):
    def test_each_member_states_ids_are_known(self):
        assert {vat_rules.state_of(country) for country in IDS} == vat_rules.STATES
        for country, vat_id in IDS.items():
            assert vat_rules.clean(vat_id, country) == vat_id
            assert vat_rules.state_of_id(vat_id) == vat_rules.state_of(country), vat_id

    def test_they_are_written_one_way(self):
        for country, typed, written in [
            ("AT", "atu 12345675", AUSTRIAN),
            ("BE", "BE0123.456.749", IDS["BE"]),
            ("BE", "123.456.749", IDS["BE"]),  # as before Belgium had ten digits
            ("DE", "DE 123 456 788", IDS["DE"]),
            ("GR", "GR123456783", IDS["GR"]),
            ("MC", "FR90000012345", "FR90000012345"),  # Monaco's have zeros where France's have a company's number
            ("CH", "ie1234567fa", IDS["IE"]),
        ]:
            assert vat_rules.clean(typed, country) == written, typed

    def test_letters_left_out_are_put_in_front(self):
        assert vat_rules.clean("123456788", "DE") == "DE123456788"
        assert vat_rules.clean("U12345675", "AT") == AUSTRIAN

    def test_a_wrong_digit_is_refused_in_every_member_state(self):
        for country, vat_id in IDS.items():
            place = vat_id.index("1")
            wrong = f"{vat_id[:place]}2{vat_id[place + 1 :]}"
            assert not vat_rules.state_of_id(wrong), wrong
            with self.assertRaises(vat_rules.BadVatId):
                vat_rules.clean(wrong, country)

    def test_what_nobody_would_type_is_answered_like_any_mistake(self):
        for state in vat_rules.STATES:
            for text in ("", "1" * 5000, "1" * 20, "\x00", "²", "\ud800", f"{state}1", "-", "U", "B01", "+*"):
                assert not vat_rules.state_of_id(state + text)
                with self.assertRaises(vat_rules.BadVatId):
                    vat_rules.clean(state + text, state)

    def test_what_no_member_state_gives_is_refused(self):
        for country, text in [
            ("DE", "DE12345"),
            ("AT", "AT12345678"),
            ("ES", "ES123456789"),
            ("DE", "12"),
            ("FR", "DE1"),
            ("AT", "ATU12345678"),
            ("DE", "123456789"),
            ("GR", "GR123456789"),
        ]:
            with self.subTest(text), self.assertRaises(vat_rules.BadVatId):
                vat_rules.clean(text, country)

    def test_ids_of_other_countries_are_kept_as_they_are(self):
        assert vat_rules.clean(" CHE-123.456.789 MWST ", "CH") == "CHE-123.456.789 MWST"
        assert vat_rules.clean("GB 123 4567 89", "DE") == "GB 123 4567 89"
        for elsewhere in ("XI110305878", "EU372022452"):  # Northern Ireland, and sellers to consumers from outside
            assert vat_rules.clean(elsewhere, "GB") == elsewhere
            assert not vat_rules.state_of_id(elsewhere)
        assert vat_rules.clean("", "DE") == ""

    def test_digits_of_other_scripts_are_no_digits(self):
        assert not vat_rules.state_of_id("DE١٢٣٤٥٦٧٨٩")


class ReliefTests(TestCase):
    def test_off_by_default_for_everybody(self):
        with override_settings(**seller):
            assert {vat.relief(country, AUSTRIAN) for country in ("AT", "DE", "CH", "US", "")} == {""}

    @override_settings(**seller, VAT_REVERSE_CHARGE="unverified", VAT_FREE_EXPORT=True)
    def test_who_gets_it(self):
        for country, vat_id, expected in [
            ("AT", AUSTRIAN, Relief.INTRA_EU),
            ("AT", "", ""),  # a consumer
            ("AT", "DE123456788", ""),  # an id of another country than the goods go to
            ("DE", "DE111111117", ""),  # the seller's own country
            ("AT", "nonsense", ""),
            ("CH", "", Relief.EXPORT),
            ("NO", AUSTRIAN, Relief.EXPORT),
            ("MC", "", ""),  # counts as France
            ("GR", "EL123456783", Relief.INTRA_EU),
        ]:
            assert vat.relief(country, vat_id) == expected, (country, vat_id)

    def test_nobody_gets_it_from_a_seller_without_a_vat_id_or_without_vat(self):
        on = {"VAT_REVERSE_CHARGE": "unverified", "VAT_FREE_EXPORT": True, **seller}
        for changes, austria, switzerland in [
            ({}, "intra_eu", "export"),
            ({"SELLER_VAT_ID": ""}, "", ""),
            ({"SELLER_CHARGES_VAT": False}, "", ""),
            ({"SELLER_COUNTRY": "US"}, "", ""),
            ({"VAT_FREE_EXPORT": False}, "intra_eu", ""),
            ({"VAT_REVERSE_CHARGE": "off"}, "", "export"),
        ]:
            with override_settings(**on | changes):
                assert vat.relief("AT", AUSTRIAN) == austria, changes
                assert vat.relief("CH", "") == switzerland, changes

    def test_only_an_id_that_a_look_would_help_awaits_it(self):
        on = {"VAT_REVERSE_CHARGE": "verified", **seller}
        for changes, country, vat_id, awaits in [
            ({}, "AT", AUSTRIAN, True),
            ({}, "AT", "", False),
            ({}, "FR", AUSTRIAN, False),
            ({}, "DE", "DE111111117", False),
            ({}, "CH", "", False),
            ({"VAT_REVERSE_CHARGE": "unverified"}, "AT", AUSTRIAN, False),
            ({"SELLER_VAT_ID": ""}, "AT", AUSTRIAN, False),
        ]:
            with override_settings(**on | changes):
                assert vat.awaits_check(country, vat_id) == awaits, (changes, country, vat_id)

    def test_an_id_is_noted_once_and_waits_until_it_is_judged(self):
        for number in (AUSTRIAN, AUSTRIAN, "CHE1", ""):
            VatId.objects.note(number)
        VatId.objects.create(number="DE111111117", verified_on="2026-11-01")
        VatId.objects.create(number="DE222222220", is_refused=True)

        words = {row.number: row.state_words for row in VatId.objects.all()}
        assert words == {AUSTRIAN: "not verified", "DE111111117": "valid", "DE222222220": "not valid"}
        assert [row.number for row in VatId.objects.waiting()] == [AUSTRIAN]
        assert [row.number for row in VatId.objects.verified()] == ["DE111111117"]

    @override_settings(SELLER_COUNTRY="CH", SELLER_VAT_ID="CHE1", VAT_REVERSE_CHARGE="unverified", VAT_FREE_EXPORT=True)
    def test_a_seller_outside_the_eu_leaves_vat_alone(self):
        assert vat.relief("AT", AUSTRIAN) == vat.relief("US", "") == ""

    @override_settings(**seller, VAT_REVERSE_CHARGE="verified")
    def test_verified_means_that_staff_looked_it_up(self):
        VatId.objects.note(AUSTRIAN)
        assert vat.relief("AT", AUSTRIAN) == ""
        assert vat.awaits_check("AT", AUSTRIAN)

        VatId.objects.update(verified_on="2026-11-01")

        assert vat.relief("AT", AUSTRIAN) == Relief.INTRA_EU
        assert not vat.awaits_check("AT", AUSTRIAN)

    @override_settings(**seller, VAT_REVERSE_CHARGE="unverified")
    def test_an_id_that_staff_found_wrong_pays_again(self):
        VatId.objects.create(number=AUSTRIAN, is_refused=True)

        assert vat.relief("AT", AUSTRIAN) == ""

    def test_settings_that_cannot_work_fail_the_check(self):
        for changes in [
            {"VAT_REVERSE_CHARGE": "maybe"},
            {"VAT_REVERSE_CHARGE": "verified", "SELLER_VAT_ID": ""},
            {"VAT_FREE_EXPORT": True, "SELLER_VAT_ID": "X", "SELLER_COUNTRY": "US"},
        ]:
            with override_settings(**changes):
                assert len(checks.vat_can_be_left_out(None)) == 1, changes
        with override_settings(**seller, VAT_REVERSE_CHARGE="verified", VAT_FREE_EXPORT=True):
            assert checks.vat_can_be_left_out(None) == []


@override_settings(**seller, VAT_REVERSE_CHARGE="unverified", VAT_FREE_EXPORT=True)
class OrderTests(CheckoutCase):
    business = {"country": "AT", "city": "Vienna", "company": "Byron & Co", "vat_id": "ATU 1234 5675"}

    def place(self, **contact):
        """Order as a browser without scripts does: the first answer shows the other total, the second is placed."""
        page = self.order(**contact)
        if page.status_code == 422:
            seen = str(page.context["quote"].total)
            page = self.client.post(CREATE, {**self.fields(), **contact, "seen_total": seen})
        assert page.status_code == 307, page.context["form"].errors
        return Order.objects.first()

    def test_a_business_pays_the_net_price_and_everything_adds_up(self):
        ShippingRate.objects.create(name="Everywhere", price=Decimal("4.90"))
        self.fill_cart(make_item("12.50"), make_item("9.99", vat_rate="7"), quantity=3)

        order = self.place(**self.business)

        # 12.50 / 1.19 = 10.50 and 9.99 / 1.07 = 9.34, once for each unit; shipping bears both rates.
        assert [line.unit_price for line in order.lines.all()] == [Decimal("10.50"), Decimal("9.34")]
        assert (order.subtotal, order.shipping, order.total) == (Decimal("59.52"), Decimal("4.32"), Decimal("63.84"))
        assert (order.vat, order.vat_relief, order.vat_id) == (0, Relief.INTRA_EU, AUSTRIAN)
        assert list(audit.problems()) == []
        assert "without VAT: business in another EU country" in OutgoingMail.objects.get().text

    def test_a_coupon_takes_the_same_share(self):
        Coupon.objects.create(code="TEN", percent=10)
        self.fill_cart(make_item("119.00"))
        self.client.post("/cart/coupon/", {"code": "TEN"})

        order = self.place(**self.business)

        assert (order.subtotal, order.discount, order.total) == (100, 10, 90)

    def test_the_invoice_says_why_and_the_credit_note_too(self):
        self.fill_cart(make_item("119.00"), make_item("11.90", is_digital=True))
        order = self.place(**self.business)
        order.move(Order.Status.PAID)
        with transaction.atomic():
            paper = invoice.issue(order)
            note = invoice.credit(order, Decimal("50.00"), "Torn", reference="r")

        assert [row["vat"] for row in paper.snapshot["rates"]] == ["0.00"]
        for snapshot in (paper.snapshot, note.snapshot):
            assert "Art. 138" in snapshot["vat_notes"][0]
            assert "Reverse charge, Art. 196 Directive 2006/112/EC" in snapshot["vat_notes"][1]
            assert (snapshot["seller"]["vat_id"], snapshot["buyer"]["vat_id"]) == ("DE123456788", AUSTRIAN)
        assert list(audit.papers_say_what_the_order_says()) == []
        assert invoice.pdf(paper).startswith(b"%PDF")
        assert storages["private"].exists(Invoice.objects.get(pk=paper.pk).pdf)

    def test_consumers_pay_what_they_always_paid(self):
        self.fill_cart(make_item("12.50"))

        order = self.place(country="AT", city="Vienna")

        assert (order.total, order.vat, order.vat_relief) == (Decimal("12.50"), Decimal("2.00"), "")
        assert vat.notes(order) == []

    def test_what_leaves_the_eu_is_sold_net(self):
        self.fill_cart(make_item("119.00"))

        order = self.place(country="CH", city="Bern")

        assert (order.total, order.vat_relief) == (100, Relief.EXPORT)
        assert "Art. 146" in vat.notes(order)[0]

    def test_a_mistyped_id_is_said_at_its_field(self):
        self.fill_cart(make_item())

        page = self.order(country="AT", vat_id="ATU123")

        self.assertContains(page, "begins with AT", status_code=422)
        assert not Order.objects.exists()

    def test_an_id_with_a_wrong_check_digit_is_said_at_its_field(self):
        self.fill_cart(make_item())

        page = self.order(country="AT", vat_id="ATU12345678")

        self.assertContains(page, "This is not a VAT id. One of this country begins with AT", status_code=422)
        assert not Order.objects.exists()

    def test_an_order_that_was_placed_with_a_wrong_check_digit_stays_as_it_is(self):
        self.fill_cart(make_item("119.00"))
        order = self.place(**self.business)
        Order.objects.update(vat_id="ATU12345678")  # as the rules allowed once
        order.refresh_from_db()

        assert order.vat_relief == Relief.INTRA_EU
        assert "Art. 138" in vat.notes(order)[0]
        assert list(audit.problems()) == []
        self.client.force_login(make_user("staff", staff=True))
        self.assertContains(self.client.get(f"/admin/orders/order/{order.pk}/change/"), "ATU12345678")
        self.assertContains(self.client.get(order.get_absolute_url()), "100.00")

    def test_the_amounts_follow_the_typed_id(self):
        self.fill_cart(make_item("119.00"))
        headers = {"HX-Request": "true"}

        with_id = self.client.get(CREATE, {"country": "AT", "vat_id": "atu12345675"}, headers=headers)
        half_typed = self.client.get(CREATE, {"country": "AT", "vat_id": "atu1"}, headers=headers)
        endless = self.client.get(CREATE, {"country": "BE", "vat_id": "1" * 5000}, headers=headers)

        self.assertContains(with_id, "Order and pay €100.00")
        self.assertContains(with_id, "Without VAT")
        self.assertContains(half_typed, "Order and pay €119.00")
        self.assertContains(endless, "Order and pay €119.00")

    def test_an_id_added_after_going_back_does_not_change_what_was_agreed(self):
        self.fill_cart(make_item("119.00"))
        fields = self.fields(country="AT", city="Vienna")
        self.client.post(CREATE, fields)

        page = self.client.post(CREATE, {**fields, "vat_id": AUSTRIAN}, follow=True)

        self.assertContains(page, "placed already, for €119.00")
        assert Order.objects.get().vat_id == ""

    def test_an_order_that_carries_vat_all_the_same_is_found(self):
        self.fill_cart(make_item("119.00"))
        order = self.place(**self.business)
        order.lines.update(vat_rate=19)

        assert any("should carry no VAT" in problem for problem in audit.problems())


@override_settings(**seller, VAT_REVERSE_CHARGE="verified")
class StaffTests(CheckoutCase):
    def setUp(self):
        self.fill_cart(make_item("119.00"))
        page = self.shown()
        self.assertNotContains(page, "checked your VAT id")
        self.first = self.order(country="AT", vat_id=AUSTRIAN)
        self.client.force_login(make_user("staff", staff=True))

    def test_an_unknown_id_pays_and_is_put_on_the_list(self):
        order = Order.objects.get()

        assert (order.total, order.vat_relief) == (119, "")
        self.assertContains(self.client.get("/admin/"), "VAT id to verify")
        self.assertContains(self.client.get(f"/admin/orders/order/{order.pk}/change/"), "not verified")

    def test_found_valid_it_pays_no_more(self):
        number = VatId.objects.get()
        self.client.post("/admin/orders/vatid/", {"action": "mark_valid", "_selected_action": [number.pk]})
        self.fill_cart(make_item("119.00"))

        page = self.client.get(CREATE, {"country": "AT", "vat_id": AUSTRIAN}, headers={"HX-Request": "true"})

        self.assertContains(page, "Order and pay €100.00")
        number.refresh_from_db()
        assert number.checked_by.username == "staff"
        self.assertNotContains(self.client.get("/admin/"), "VAT id to verify")

    def test_it_can_be_written_down_with_its_proof_but_not_changed(self):
        number = VatId.objects.get()
        address = f"/admin/orders/vatid/{number.pk}/change/"
        self.client.post(address, {"verified_on": "2026-11-02", "consultation": "WAPIAAAAX", "number": "DE1"})
        number.refresh_from_db()
        assert (number.number, str(number.verified_on), number.consultation) == (AUSTRIAN, "2026-11-02", "WAPIAAAAX")

        both = self.client.post(address, {"verified_on": "2026-11-02", "is_refused": "on"})
        self.assertContains(both, "either valid or not")
