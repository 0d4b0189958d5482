import json
import time
from datetime import timedelta
from unittest import mock

from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from core.jobs import background
from core.stores.breaker import Breaker
from core.tests.clock import stopped
from mail.models import OutgoingMail
from orders.models import Order
from orders.tests.factories import make_order
from payment import gateway, sweeper, webhooks
from payment.models import Problem, WebhookEvent
from payment.simulator.courier import sign
from payment.tasks import process_event
from payment.tests.stand_in import SECRET, StripeTestCase, assert_paid_once

URL = reverse("payment:webhook")
GOOD = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "charge.succeeded",
        "created": 1_700_000_000,
        "livemode": False,
        "data": {"object": {"id": "ch_1"}},
    }
).encode()


def header(body=GOOD, *, secret=SECRET, at=None, scheme="v1"):
    at = int(time.time()) if at is None else at
    return f"t={at},{scheme}={sign(body, secret, at=at)}"


@override_settings(STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET=SECRET)
class RefusalTests(StripeTestCase):
    def post(self, body, signature):
        headers = {} if signature is None else {"Stripe-Signature": signature}
        return self.client.post(URL, body, content_type="application/json", headers=headers).status_code

    def test_signed_event_is_taken(self):
        assert self.post(GOOD, header()) == 200

        assert WebhookEvent.objects.get().event_id == "evt_1"

    @override_settings(SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=[r"^payment/webhook/$"])
    def test_what_comes_in_clear_is_refused_and_not_led_on(self):
        assert self.post(GOOD, header()) == 403
        assert self.client.post(URL, GOOD, content_type="application/json", secure=True).status_code == 400

        assert not WebhookEvent.objects.exists()

    def test_bad_signatures_are_400_and_leave_nothing(self):  # D78
        now = int(time.time())
        good = header()
        bad = [
            None,
            "",
            " ",
            "garbage",
            "t=",
            "v1=",
            "t=,v1=",
            f"t={now}",
            f"t={now},v1=",
            f"t={now},v1=00",
            f"t={now},v1=ü",
            f"t={now},v1=é" + "a" * 64,
            "t=abc,v1=" + "a" * 64,
            f"t={now}.5,v1=" + "a" * 64,
            "t=" + "9" * 5000 + ",v1=" + "a" * 64,
            "t=-1,v1=" + "a" * 64,
            header(secret="whsec_other"),
            header(secret=""),
            header(scheme="v0"),
            header(scheme="v1x"),
            header(at=now - 301),
            header(at=now + 400),
            header(at=now + 86_400),
            header(at=0),
            good.replace("t=", "t=1"),
            good[:-1],
            good.upper(),
            "=" * 1000,
            ",,,===",
        ]
        for signature in bad:
            with self.subTest(str(signature)[:40]):
                assert self.post(GOOD, signature) == 400
        assert not WebhookEvent.objects.exists()

    def test_signed_nonsense_is_400(self):  # D78
        for body in (b"", b"[]", b"{}", b"null", b"1", b'"x"', b"\xff\xfe", b"{", b'{"object": "event"}', b"[" * 9000):
            with self.subTest(body[:20]):
                assert self.post(body, header(body) if body != b"\xff\xfe" else header()) == 400
        assert not WebhookEvent.objects.exists()

    def test_characters_that_a_database_does_not_take_are_stored_as_others(self):
        for number, odd in enumerate((r"\u0000", r"\ud800", r"\udc00\ud800", "1e999", "-1e999", "NaN", "Infinity")):
            value = f'"a{odd}b"' if odd.startswith("\\") else odd
            body = GOOD.replace(b'"ch_1"', b'"ch_1", "odd": [{"x\\u0000": %s}]' % value.encode())
            body = body.replace(b"evt_1", b"evt_\\u0000%d" % number).replace(b"charge.s", b"charge.\\udfffs")
            with self.subTest(odd):
                assert self.post(body, header(body)) == 200
                event = WebhookEvent.objects.get(event_id=f"evt_\ufffd{number}")
                assert event.kind == "charge.\ufffdsucceeded"
                stored = event.payload["data"]["object"]["odd"][0]["x\ufffd"]
                assert stored is None or "\ufffd" in stored

    def test_pair_of_surrogates_is_the_character_it_stands_for(self):
        body = GOOD.replace(b'"ch_1"', rb'"\ud83d\ude00"')

        assert self.post(body, header(body)) == 200

        assert WebhookEvent.objects.get().payload["data"]["object"]["id"] == "\N{GRINNING FACE}"

    def test_event_nested_beyond_reason_is_400(self):
        body = GOOD.replace(b'"ch_1"', b"[" * 400 + b"]" * 400)

        assert self.post(body, header(body)) == 400

    def test_changed_body_is_400(self):
        assert self.post(GOOD.replace(b"evt_1", b"evt_2"), header()) == 400

    def test_both_secrets_of_a_rotation_work(self):
        at = int(time.time())
        both = f"t={at},v1={sign(GOOD, 'whsec_old', at=at)},v1={sign(GOOD, SECRET, at=at)}"

        assert self.post(GOOD, both) == 200

    def test_large_body_is_413(self):
        for size, status in ((256_000, 400), (256_001, 413), (3_000_000, 413)):
            assert self.post(b"x" * size, header()) == status, size

    def test_no_length_is_400(self):
        assert self.client.post(URL, GOOD, content_type="application/json", CONTENT_LENGTH="").status_code == 400

    def test_signature_may_be_five_minutes_ahead_of_our_clock(self):
        now = int(time.time())
        with mock.patch.object(gateway, "time") as clock:
            clock.time.return_value = now
            assert self.post(GOOD, header(at=now + 300)) == 200
            assert self.post(GOOD, header(at=now + 301)) == 400

    def test_names_longer_than_their_columns_are_cut(self):
        body = GOOD.replace(b"evt_1", b"e" * 300).replace(b"charge.succeeded", b"k" * 120)

        assert self.post(body, header(body)) == 200

        event = WebhookEvent.objects.get()
        assert (event.event_id, event.kind) == ("e" * 255, "k" * 100)

    def test_stripe_needs_no_proof_against_forged_forms(self):
        browser = Client(enforce_csrf_checks=True)
        headers = {"Stripe-Signature": header(), "Origin": "https://stripe.example"}

        assert browser.post(URL, GOOD, content_type="application/json", headers=headers).status_code == 200

    def test_other_mode_is_400(self):
        body = GOOD.replace(b'"livemode": false', b'"livemode": true')

        assert self.post(body, header(body)) == 400
        assert not WebhookEvent.objects.exists()

    def test_other_methods_are_405(self):
        for method in ("get", "put", "delete", "head"):
            assert getattr(self.client, method)(URL).status_code == 405

    def test_no_secret_configured_refuses_everything(self):
        with override_settings(STRIPE_WEBHOOK_SECRET=""):
            assert self.post(GOOD, header(secret="")) == 400

    def test_no_session_is_touched(self):
        with self.assertNumQueries(4):  # look, savepoint, insert, release
            answer = self.client.post(
                URL, GOOD, content_type="application/json", headers={"Stripe-Signature": header()}
            )
        assert not answer.cookies


class ProcessingTests(StripeTestCase):
    def paid_event(self):
        order = make_order()
        self.simulator.ledger.pay(self.open_session(order))
        return order, self.new_events()[-1]

    def test_copies_of_one_event_are_all_answered_200_and_pay_once(self):  # D60
        order, event = self.paid_event()

        assert {self.post_event(event) for _ in range(20)} == {200}

        assert_paid_once(order)
        assert WebhookEvent.objects.count() == 1

    def test_unknown_kinds_are_ignored(self):
        assert self.post_event(json.loads(GOOD)) == 200

        assert WebhookEvent.objects.get().status == WebhookEvent.Status.IGNORED

    def test_event_of_an_unknown_session_is_kept_for_later(self):  # D78
        _, event = self.paid_event()
        event["data"]["object"]["id"] = "cs_test_none"

        assert self.post_event(event) == 200

        kept = WebhookEvent.objects.get()
        assert (kept.status, kept.attempts) == (WebhookEvent.Status.RECEIVED, 1)
        assert "cs_test_none" in kept.error
        assert kept.due_at > timezone.now()

    def test_stripe_away_leaves_the_event_to_the_sweeper(self):
        order, event = self.paid_event()
        with mock.patch.object(gateway, "get_session", side_effect=gateway.Unavailable("away")):
            assert self.post_event(event) == 200
        WebhookEvent.objects.update(due_at=timezone.now())

        with self.captureOnCommitCallbacks(execute=True):
            sweeper.sweep()

        assert_paid_once(order)
        assert WebhookEvent.objects.get().status == WebhookEvent.Status.DONE

    def test_dead_broker_leaves_the_event_to_the_sweeper(self):  # D63
        order, event = self.paid_event()
        with (
            mock.patch.object(background, "start", background.publish),
            mock.patch.object(background, "broker", Breaker("broker", (OSError,), rest=10)),
            mock.patch.object(process_event, "apply_async", side_effect=OSError("refused")),
        ):
            assert self.post_event(event) == 200
        assert WebhookEvent.objects.get().status == WebhookEvent.Status.RECEIVED

        with self.captureOnCommitCallbacks(execute=True):
            sweeper.sweep()

        assert_paid_once(order)

    def test_event_that_is_not_due_yet_is_left_alone(self):
        order, event = self.paid_event()
        with mock.patch.object(gateway, "get_session", side_effect=gateway.Unavailable("away")):
            self.post_event(event)

        webhooks.process(event["id"])
        sweeper.sweep()

        assert WebhookEvent.objects.get().attempts == 1
        order.refresh_from_db()
        assert order.status == Order.Status.AWAITING_PAYMENT

    def test_event_that_somebody_works_on_is_nobody_elses_for_forty_seconds(self):
        _, event = self.paid_event()
        seen = []

        def slow(session_id, *, event_id):
            webhooks.process(event_id)  # another worker, while the first is still at it
            seen.append(WebhookEvent.objects.get())

        later = timezone.now() + timedelta(hours=1)
        with stopped(later), mock.patch.object(webhooks, "fulfil", slow):
            self.post_event(event)

        assert [(row.attempts, row.due_at - later) for row in seen] == [(1, timedelta(seconds=40))]

    def test_each_failure_waits_twice_as_long(self):
        _, event = self.paid_event()
        now, waits = timezone.now() + timedelta(hours=1), []
        with mock.patch.object(webhooks, "fulfil", side_effect=RuntimeError("broken")):
            for _ in range(4):
                with stopped(now):
                    self.post_event(event)
                    webhooks.process(event["id"])
                due = WebhookEvent.objects.get().due_at
                waits.append(due - now)
                now = due

        assert waits == [timedelta(minutes=minutes) for minutes in (2, 4, 8, 16)]

    def test_five_failures_tell_staff_once(self):
        _, event = self.paid_event()
        with mock.patch.object(webhooks, "fulfil", side_effect=RuntimeError("broken")):
            self.post_event(event)
            for _ in range(6):
                WebhookEvent.objects.update(due_at=timezone.now())
                webhooks.process(event["id"])

        kept = WebhookEvent.objects.get()
        assert (kept.status, kept.attempts) == (WebhookEvent.Status.FAILED, 5)
        assert Problem.objects.count() == OutgoingMail.objects.filter(kind="payment-problem").count() == 1

    def test_dispute_is_flagged_and_stock_left_alone(self):
        order = self.paid_order()
        intent = order.payments.get().payment_intent
        dispute = self.simulator.ledger.dispute(intent)
        self.tell_all()
        self.simulator.ledger.close_dispute(dispute["id"], won=False)
        self.tell_all()

        payment = order.payments.get()
        order.refresh_from_db()
        assert (payment.dispute_id, payment.dispute_status) == (dispute["id"], "lost")
        assert Problem.objects.count() == 2
        assert order.holds_stock
