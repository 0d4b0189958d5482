from unittest import mock

from django.core.cache import cache
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from cart.models import Coupon
from orders.models import Order
from orders.tests.factories import CONTACT, make_item, make_order
from payment import gateway, sweeper
from payment.models import Refund
from payment.tests.stand_in import StripeTestCase, assert_paid_once

PROCESS, COMPLETED, CANCELED = (reverse(f"payment:{name}") for name in ("process", "completed", "canceled"))


class PaymentPageTestCase(StripeTestCase):
    def remember(self, order):
        session = self.client.session
        session["orders"] = [*session.get("orders", []), order.token]
        session.save()

    def press_pay(self, order):
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(PROCESS, {"order": order.token}, headers={"Sec-Fetch-Site": "same-origin"})


class ProcessTests(PaymentPageTestCase):
    def test_shows_the_last_order_of_the_session(self):
        self.remember(make_order())
        order = make_order(lines=[(make_item("19.00"), 1)])
        self.remember(order)

        page = self.client.get(PROCESS)

        self.assertContains(page, "Pay €19.00")
        self.assertContains(page, order.token)

    def test_visitor_without_an_order_gets_404(self):
        assert self.client.get(PROCESS).status_code == 404
        assert self.client.get(PROCESS, {"order": "someone-elses"}).status_code == 404

    def test_pay_leads_to_stripe(self):
        order = make_order()

        answer = self.press_pay(order)

        assert answer.status_code == 303
        assert answer["Location"] == order.attempts.get().url
        assert answer["Location"].startswith(self.simulator.url)

    def test_second_click_leads_to_the_same_page(self):  # D62, D85
        order = make_order()

        assert self.press_pay(order)["Location"] == self.press_pay(order)["Location"]

        assert order.attempts.count() == len(self.simulator.ledger.sessions) == 1

    def test_paid_order_is_refused_politely(self):  # D62
        order = self.paid_order()

        page = self.press_pay(order)

        self.assertContains(page, "This order is paid", status_code=409)
        self.assertNotContains(self.client.get(PROCESS, {"order": order.token}), "Pay €12.50")
        assert len(self.simulator.ledger.sessions) == 1

    def test_order_paid_at_stripe_unknown_to_us_is_found_paid(self):
        order = make_order()
        self.simulator.ledger.pay(self.open_session(order))

        page = self.press_pay(order)

        self.assertContains(page, "This order is paid", status_code=409)
        assert_paid_once(order)

    def test_free_order_is_completed_without_stripe(self):
        order = make_order(lines=[(make_item("10.00"), 1)], discount="10.00")

        answer = self.press_pay(order)

        self.assertRedirects(answer, order.get_absolute_url())
        assert_paid_once(order)
        assert not self.simulator.api.calls

    def test_other_methods_are_refused(self):
        self.client.force_login(make_user(staff=True))
        for address in (PROCESS, reverse("payment:refund", args=[1])):
            assert self.client.put(address).status_code == 405
        for address in (reverse("payment:change"), reverse("payment:refund_settle", args=[1])):
            assert self.client.get(address).status_code == 405
        assert self.client.post(COMPLETED, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 405
        assert self.client.post(CANCELED, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 405

    def test_eleventh_click_a_minute_is_limited(self):
        order = self.paid_order()

        statuses = [self.press_pay(order).status_code for _ in range(11)]

        assert statuses == [409] * 10 + [429]
        assert self.press_pay(order)["Retry-After"] == "60"

    def test_sixty_first_click_a_minute_from_one_address_is_limited_whatever_it_is_for(self):
        statuses = [self.press_pay(Order(token=f"none-{number}")).status_code for number in range(61)]

        assert statuses == [404] * 60 + [429]

    def test_no_page_about_money_is_kept_on_its_way(self):
        order = self.paid_order()
        self.remember(order)
        self.client.force_login(make_user(staff=True))
        session_id = order.attempts.get().session_id
        same_origin = {"Sec-Fetch-Site": "same-origin"}
        refund = reverse("payment:refund", args=[order.pk])
        given = Refund.objects.create(payment=order.payments.get(), amount=1, idempotency_key="k")
        for answer in [
            self.client.get(PROCESS),
            self.client.get(CANCELED),
            self.client.get(COMPLETED, {"session_id": session_id}),
            self.client.get(refund),
            self.client.post(reverse("payment:change"), {"order": order.token}, headers=same_origin),
            self.client.post(reverse("payment:refund_settle", args=[given.pk]), headers=same_origin),
        ]:
            assert "no-store" in answer["Cache-Control"], answer


class TimeIsUpTests(PaymentPageTestCase):
    """An order past its time that no sweep has ended yet."""

    def setUp(self):
        super().setUp()
        self.product = make_item(stock=3)
        self.order = make_order(lines=[(self.product, 1)])
        self.session_id = self.open_session(self.order)
        Order.objects.update(expires_at=timezone.now())

    def test_nowhere_is_it_offered_to_be_paid(self):
        for address in (self.order.get_absolute_url(), f"{PROCESS}?order={self.order.token}"):
            page = self.client.get(address)
            self.assertContains(page, "The time to pay")
            self.assertNotContains(page, "Pay €12.50")
        self.assertContains(self.client.get(self.order.get_absolute_url()), ">expired<")
        self.assertNotContains(self.client.get(CANCELED, {"order": self.order.token}), "Pay €12.50")

    def test_a_late_click_ends_it_at_once(self):
        page = self.press_pay(self.order)

        self.assertContains(page, "was not paid in time", status_code=409)
        self.product.refresh_from_db()
        assert self.product.stock == 4
        assert self.simulator.ledger.sessions[self.session_id]["status"] == "expired"

    def test_an_order_that_was_undone_says_by_whom(self):
        for by, words in [("buyer", "You undid this order"), ("staff", "We cancelled this order")]:
            order = make_order(lines=[(self.product, 1)])
            self.open_session(order)
            order.give_up(by=by)
            page = self.client.get(order.get_absolute_url())
            self.assertContains(page, "This order is being undone. If you have paid just now")

            sweeper.sweep()

            detail, pay = self.client.get(order.get_absolute_url()), self.client.get(PROCESS, {"order": order.token})
            for page in (detail, pay):
                self.assertContains(page, words)
                self.assertNotContains(page, "in time")
                self.assertNotContains(page, "xpired")

    def test_a_late_click_finds_a_payment_we_had_not_heard_of(self):
        self.simulator.ledger.pay(self.session_id)

        page = self.press_pay(self.order)

        self.assertContains(page, "This order is paid", status_code=409)
        assert_paid_once(self.order)

    def test_a_late_click_while_stripe_is_away_leaves_it_to_the_sweep(self):
        with mock.patch.object(gateway, "get_session", side_effect=gateway.Unavailable("away")):
            page = self.press_pay(self.order)

        self.assertContains(page, "The time to pay", status_code=409)
        self.product.refresh_from_db()
        assert self.product.stock == 3


class ChangeTests(PaymentPageTestCase):
    """The buyer comes back from the pay page and wants something else."""

    def setUp(self):
        super().setUp()
        self.product = make_item(stock=2)
        self.same_origin = {"Sec-Fetch-Site": "same-origin"}
        self.client.post(reverse("cart:cart_add", args=[self.product.pk]), {"quantity": 2}, headers=self.same_origin)
        page = self.client.get(reverse("orders:order_create"))
        contact = CONTACT | {
            "terms": "on",
            "checkout_key": page.context["form"]["checkout_key"].value(),
            "seen_total": str(page.context["quote"].total),
        }
        self.client.post(reverse("orders:order_create"), contact, headers=self.same_origin)
        self.order = Order.objects.get()
        self.press_pay(self.order)

    def change(self):
        return self.client.post(reverse("payment:change"), {"order": self.order.token}, headers=self.same_origin)

    def test_going_back_to_the_checkout_finds_the_order_that_waits(self):
        page = self.client.get(reverse("orders:order_create"), follow=True)

        self.assertContains(page, "Pay €25.00")
        self.assertContains(page, "Change the order")

    def test_the_cart_is_full_again_and_the_last_piece_is_not_lost_to_oneself(self):
        answer = self.change()

        self.assertRedirects(answer, reverse("cart:cart_detail"), fetch_redirect_response=False)
        page = self.client.get(answer["Location"])
        self.assertContains(page, "is undone")
        assert len(page.context["cart"]) == 2
        self.product.refresh_from_db()
        assert self.product.stock == 2
        [session] = self.simulator.ledger.sessions.values()
        assert session["status"] == "expired"

    def test_a_cart_that_has_been_filled_since_keeps_what_it_holds_more_of(self):
        type(self.product).objects.update(stock=9)
        other = make_item(stock=9)
        for product, quantity in ((self.product, 3), (other, 1)):
            address = reverse("cart:cart_add", args=[product.pk])
            self.client.post(address, {"quantity": quantity}, headers=self.same_origin)

        self.change()

        cart = self.client.get(reverse("cart:cart_detail")).context["cart"]
        assert cart.pieces == {self.product.pk: 3, other.pk: 1}

    def test_what_is_no_longer_for_sale_does_not_come_back(self):
        type(self.product).objects.update(is_on_show=False)

        self.change()

        assert not self.client.get(reverse("cart:cart_detail")).context["cart"].pieces

    def test_the_coupon_comes_back_while_it_is_good(self):
        coupon = Coupon.objects.create(code="TEN", percent=10, max_uses_each=None)
        for is_active, code in ((True, "TEN"), (False, "")):
            Coupon.objects.update(is_active=is_active)
            order = make_order(lines=[(self.product, 1)], coupon_code="TEN")
            answer = self.client.post(reverse("payment:change"), {"order": order.token}, headers=self.same_origin)
            assert answer["Location"] == reverse("cart:cart_detail")
            assert self.client.session.get("coupon", "") == code
            assert coupon.uses.count() == 0
            self.client.post(reverse("cart:coupon_remove"), headers=self.same_origin)

    def test_what_was_typed_is_there_again(self):
        self.change()

        form = self.client.get(reverse("orders:order_create")).context["form"]

        assert form["email"].value() == CONTACT["email"]
        assert form["checkout_key"].value() != self.order.checkout_key

    def test_a_paid_order_is_not_undone(self):
        self.simulator.ledger.pay(self.order.attempts.get().session_id)

        self.assertRedirects(self.change(), self.order.get_absolute_url())

        assert_paid_once(self.order)
        assert not self.client.get(reverse("cart:cart_detail")).context["cart"]

    def test_while_stripe_is_away_nothing_is_sold_twice(self):
        with mock.patch.object(gateway, "get_session", side_effect=gateway.Unavailable("away")):
            self.assertRedirects(self.change(), self.order.get_absolute_url())

        self.product.refresh_from_db()
        assert self.product.stock == 0
        assert not self.client.get(reverse("cart:cart_detail")).context["cart"]

    def test_pressed_twice_it_is_undone_once(self):
        self.change()
        self.change()

        self.product.refresh_from_db()
        assert (self.product.stock, Order.objects.get().events.filter(status="expired").count()) == (2, 1)

    def test_nobody_elses_order_is_found_without_its_secret(self):
        self.client.logout()
        answer = self.client.post(reverse("payment:change"), {"order": str(self.order.pk)}, headers=self.same_origin)

        assert answer.status_code == 404


class StripeDownTests(PaymentPageTestCase):
    def setUp(self):
        super().setUp()
        self.order = make_order(lines=[(make_item(stock=4), 1)])

    def assert_kept_and_retried(self, *, patience=1000, **fault):
        self.simulator.faults.set(api=[{"path": "/v1/checkout/sessions", "times": 9, **fault}])

        with mock.patch("payment.views.PATIENCE", patience):
            page = self.press_pay(self.order)

        self.assertContains(page, "does not answer", status_code=503)
        assert page["Retry-After"] == "30"
        self.order.refresh_from_db()
        assert (self.order.status, self.order.holds_stock) == (Order.Status.AWAITING_PAYMENT, True)
        self.simulator.faults.reset()
        assert self.press_pay(self.order).status_code == 303
        assert len(self.simulator.ledger.sessions) == 1

    def test_server_error_takes_a_new_key_next_time(self):
        self.assert_kept_and_retried(mode="500")
        assert self.order.attempts.count() == 2

    def test_too_many_requests(self):
        self.assert_kept_and_retried(mode="429")

    def test_closed_connection(self):
        self.assert_kept_and_retried(mode="close_before")

    def test_page_does_not_wait_for_a_stripe_that_hangs(self):
        # Without an end of its own the page would wait longer than pytest does.
        self.assert_kept_and_retried(mode="hang", seconds=5000, patience=1)

    def test_answers_that_make_no_sense(self):
        for body in ([], {}, None, "busy", 7, {"object": "checkout.session"}, {"id": 5, "url": []}):
            with self.subTest(body), self.assertLogs("payment", "WARNING"):
                self.simulator.faults.set(
                    api=[{"path": "/v1/checkout/sessions", "times": 9, "mode": "odd", "body": body}]
                )
                cache.clear()
                assert self.press_pay(self.order).status_code == 503
        self.simulator.faults.reset()

        assert self.press_pay(self.order).status_code == 303
        assert len(self.simulator.ledger.sessions) == 1

    def test_nobody_listens(self):
        with override_settings(STRIPE_API_BASE="http://127.0.0.1:9"):
            page = self.press_pay(self.order)

        self.assertContains(page, "does not answer", status_code=503)
        assert self.press_pay(self.order).status_code == 303

    def test_call_that_broke_off_after_its_effect_is_found_again(self):
        self.simulator.faults.set(api=[{"mode": "close_after", "path": "/v1/checkout/sessions", "times": 3}])
        assert self.press_pay(self.order).status_code == 503

        assert self.press_pay(self.order).status_code == 303

        assert len(self.simulator.ledger.sessions) == 1
        assert self.order.attempts.count() == 1


class CompletedTests(PaymentPageTestCase):
    def come_back(self, order, **query):
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.get(COMPLETED, {"session_id": order.attempts.get().session_id, **query})

    def test_says_paid_when_it_is(self):
        order = self.paid_order()
        self.remember(order)

        self.assertContains(self.come_back(order), "your order is paid")

    def test_the_browser_that_bought_is_trusted_with_the_address_once_it_is_paid(self):
        order = make_order()
        self.open_session(order)
        self.remember(order)
        self.come_back(order)
        assert "proven_addresses" not in self.client.session

        self.simulator.ledger.pay(order.attempts.get().session_id)
        self.come_back(order)
        self.come_back(order)

        assert self.client.session["proven_addresses"] == [order.email.lower()]

    def test_never_says_paid_when_it_is_not_and_looks_again_for_ten_seconds(self):  # D77
        order = make_order()
        self.open_session(order)
        self.remember(order)

        first, last = self.come_back(order), self.come_back(order, waited=10)

        self.assertContains(first, 'http-equiv="refresh" content="2;')
        self.assertContains(first, "waited=2")
        self.assertContains(self.come_back(order, waited=9), "waited=11")
        self.assertContains(self.come_back(order, waited=1000), "waited=2")  # nonsense: nobody waits so long
        self.assertNotContains(self.come_back(order, waited=999), 'http-equiv="refresh"')
        self.assertContains(last, "not heard of your payment yet")
        self.assertNotContains(last, 'http-equiv="refresh"')
        self.assertNotContains(first, "is paid")
        self.assertNotContains(last, "is paid")

    def test_stripe_is_asked_by_the_first_look_only(self):
        order = make_order()
        self.open_session(order)
        self.remember(order)
        before = self.calls("GET /v1/checkout/sessions/")

        for waited in (0, 2, 4):
            self.come_back(order, waited=waited)

        assert self.calls("GET /v1/checkout/sessions/") == before + 1

    def test_the_last_five_addresses_are_trusted(self):
        for number in range(6):
            order = make_order(email=f"Ada{number}@example.com")
            self.simulator.ledger.pay(self.open_session(order))
            self.remember(order)
            self.come_back(order)

        assert self.client.session["proven_addresses"] == [f"ada{number}@example.com" for number in range(1, 6)]

    def test_files_go_nowhere(self):
        for digital, words in ((True, "Invoice address"), (False, "Goes to")):
            order = self.paid_order(lines=[(make_item(), 1), (make_item(), 1)])
            order.lines.update(is_digital=True)
            if not digital:
                order.lines.filter(pk=order.lines.first().pk).update(is_digital=False)
            self.remember(order)
            self.assertContains(self.come_back(order), words)

    def test_asks_stripe_itself_when_no_webhook_came(self):
        order = make_order()
        self.simulator.ledger.pay(self.open_session(order))
        self.remember(order)

        self.come_back(order)

        assert_paid_once(order)

    def test_who_has_paid_reads_it_at_once_with_what_was_bought_and_where_it_goes(self):
        order = make_order(lines=[(make_item("6.25", name="Blank book"), 2)])
        self.simulator.ledger.pay(self.open_session(order))
        self.remember(order)

        page = self.come_back(order)

        self.assertNotContains(page, "A moment, please")
        for words in ("your order is paid", "2 × Blank book", "€12.50", "Goes to", "12 Analytical Lane"):
            self.assertContains(page, words)

    def test_while_stripe_does_not_answer_the_page_waits(self):
        order = make_order()
        self.simulator.ledger.pay(self.open_session(order))
        self.remember(order)

        with (
            mock.patch.object(gateway, "get_session", side_effect=gateway.Unavailable("away")),
            mock.patch("payment.views.background.start") as later,
        ):
            self.assertContains(self.come_back(order), "A moment, please")

        later.assert_called_once()

    def test_htmx_gets_the_fragment(self):
        order = self.paid_order()
        self.remember(order)

        page = self.client.get(
            COMPLETED, {"session_id": order.attempts.get().session_id}, headers={"HX-Request": "true"}
        )

        self.assertTemplateNotUsed(page, "payment/completed.html")

    def test_stranger_with_the_session_id_gets_404(self):  # D77
        older = make_user("older", staff=True)
        guests, members = self.paid_order(), self.paid_order(buyer=make_user("bob"))
        for stranger in (None, older, make_user("younger", staff=True)):
            if stranger:
                self.client.force_login(stranger)
            for order in (guests, members):
                assert self.come_back(order).status_code == 404

    def test_buyer_on_another_device_sees_it(self):
        order = self.paid_order(buyer=make_user("bob"))
        self.client.force_login(order.buyer)

        assert self.come_back(order).status_code == 200

    def test_nonsense_gets_404(self):  # D77
        self.remember(self.paid_order())

        for session_id in ("", "cs_test_none", "x" * 5000, "é"):
            assert self.client.get(COMPLETED, {"session_id": session_id}).status_code == 404
        assert self.client.get(COMPLETED).status_code == 404

    def test_nonsense_in_waited_is_nought(self):
        order = make_order()
        self.open_session(order)
        self.remember(order)

        for waited in ("-1", "abc", "٣", "²", "", "9" * 5000):
            self.assertContains(self.come_back(order, waited=waited), "waited=2")


class CanceledTests(PaymentPageTestCase):
    def test_offers_to_pay_again(self):
        order = make_order()

        page = self.client.get(CANCELED, {"order": order.token})

        self.assertContains(page, "nothing was charged")
        self.assertContains(page, "Pay €12.50")

    def test_unknown_order_is_404(self):
        assert self.client.get(CANCELED, {"order": "none"}).status_code == 404
        assert self.client.get(CANCELED).status_code == 404
