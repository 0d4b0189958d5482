"""
What a purchase costs: the guest's whole way from the front page to the page of the paid order, and orders per second from
"place order" to "paid" with the simulator, its signed webhook and fulfil() in between; once over 1,000 orders, once over
100,000.

CPU is told in bare constant pages: a view that returns 20 kB without any middleware, behind the WSGI server that any
Django site would have, measured alternately in the same run. PDFs are left out (they are made in the background) and
mails stay rows. BENCH_ORDERS changes the larger number.
"""

import http.client
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from bench._databases import postgresql
from bench._timing import group_cpu
from tools.run import web_server

FEW, MANY = 1_000, int(os.environ.get("BENCH_ORDERS", "100000"))
ROUNDS = 15
ORDERS = 100
KEY, SECRET = "sk_test_bench", "whsec_bench"
PORT = 8391
_numbers = itertools.count()
CONTACT = {
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Byron",
    "address": "12 Analytical Lane",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}


def main() -> None:
    os.environ |= {
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": f"http://127.0.0.1:{PORT}",
        "LOG_LEVEL": "ERROR",
        "PROXY_COUNT": "1",  # each browser comes from an address of its own, or the limits would stop the bench
    }
    with postgresql(), simulator():
        from core.jobs import background

        background.start = only_payments
        product = make_product()
        fill(FEW)
        count_queries(product)
        measure_cpu(product)
        few = purchases(product, "1,000 orders in the database")
        fill(MANY)
        many = purchases(product, f"{MANY:,} orders in the database")
        print(f"our CPU per order, {MANY:,} against {FEW:,}: {many / few:.2f}")


def only_payments(task: Any, args: tuple[Any, ...]) -> None:
    if task.name.startswith("payment."):
        task(*args)


@contextmanager
def simulator() -> Iterator[None]:
    """Run the local Stripe in a process of its own, so that its work is not counted as ours."""
    command = [sys.executable, "manage.py", "stripe_simulator", "--port", str(PORT), "--state", "", "--webhook-url", ""]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait(10)


def make_product() -> Any:
    from shop.models import Category, Product

    category = Category.objects.create(name="Paper", slug="paper")
    return Product.objects.create(
        category=category, name="Notebook", slug="notebook", price=Decimal("12.50"), vat_rate=Decimal(19), stock=10**6
    )


def fill(number: int) -> None:
    """Write paid orders in bulk until there are so many, with their lines, payments and invoices."""
    from django.db import connection
    from django.utils import timezone

    from orders.models import Invoice, InvoiceCounter, Order, OrderEvent, OrderLine
    from payment.models import CheckoutAttempt, Payment
    from shop.models import Product

    product, now = Product.objects.get(), timezone.now()
    year, have = timezone.localdate().year, Order.objects.count()
    price = Decimal("12.50")
    for start in range(have, number, 5000):
        orders = Order.objects.bulk_create(
            Order(
                checkout_key=f"fill-{n}",
                status=Order.Status.PAID,
                **CONTACT | {"email": f"ada{n}@example.com"},
                currency="EUR",
                subtotal=price,
                total=price,
                vat=Decimal("2.00"),
                expires_at=now + timedelta(minutes=35),
                paid_at=now,
            )
            for n in range(start, min(start + 5000, number))
        )
        OrderLine.objects.bulk_create(
            OrderLine(order=order, product=product, name="Notebook", unit_price=price, vat_rate=Decimal(19), quantity=1)
            for order in orders
        )
        OrderEvent.objects.bulk_create(OrderEvent(order=order, status=order.status) for order in orders)
        CheckoutAttempt.objects.bulk_create(
            CheckoutAttempt(
                order=order,
                n=1,
                status="complete",
                idempotency_key=f"fill-{order.pk}",
                session_id=f"cs_{order.pk}",
                expires_at=now,
                reconciled_at=now,
            )
            for order in orders
        )
        Payment.objects.bulk_create(
            Payment(order=order, payment_intent=f"pi_{order.pk}", amount=1250, currency="EUR") for order in orders
        )
        counter, _ = InvoiceCounter.objects.get_or_create(year=year)
        Invoice.objects.bulk_create(
            Invoice(order=order, year=year, number=counter.last + n, total=price, snapshot={})
            for n, order in enumerate(orders, 1)
        )
        InvoiceCounter.objects.filter(pk=counter.pk).update(last=counter.last + len(orders))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


# --- The guest's way ------------------------------------------------------------------------------------------------


class Browser:
    """What a browser does that matters here: cookies, forms, one kept connection, no following of redirects."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: SimpleCookie = SimpleCookie()
        self.address = f"10.{next(_numbers) // 250}.0.{next(_numbers) % 250}"

    def ask(self, method: str, address: str, /, **form: str) -> tuple[str, str]:
        """Return the answer's Location and text."""
        headers = {
            "Sec-Fetch-Site": "same-origin",
            "X-Forwarded-For": self.address,
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items()),
        }
        self.connection.request(method, address, urlencode(form) if form else None, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 400, (method, address, answer.status, text[-2000:])
        for cookie in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(cookie)
        return answer.headers.get("Location", ""), text


def buy(browser: Any, product: Any) -> Iterator[str]:
    """Go from the front page to the page of the paid order, yielding the name of each request after it."""
    browser.ask("GET", "/")
    yield "front page"
    browser.ask("GET", "/shop/")
    yield "shop"
    browser.ask("GET", product.get_absolute_url())
    yield "product"
    browser.ask("POST", f"/cart/add/{product.pk}/", quantity="1")
    yield "add to cart (POST)"
    browser.ask("GET", "/cart/")
    yield "cart"
    _, page = browser.ask("GET", "/orders/create/")
    yield "checkout"
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    location, page = browser.ask("POST", "/orders/create/", **hidden, **CONTACT, terms="on")
    assert location.startswith("/payment/process/?order="), page
    yield "place order (POST)"
    location, _ = browser.ask("POST", location, **hidden, **CONTACT, terms="on")
    assert location.startswith(f"http://127.0.0.1:{PORT}/c/pay/")
    yield "to Stripe (POST)"
    session = location.rpartition("/")[2]
    control("pay", session=session)
    _, page = browser.ask("GET", f"/payment/completed/?session_id={session}")
    yield "paid"
    order = re.search(r'href="(/orders/[\w-]{22}/)"', page)
    assert order, page
    browser.ask("GET", order[1])
    yield "order"


class CountingBrowser:
    """The same in this process, where queries can be counted."""

    def __init__(self) -> None:
        from django.test import Client

        self.client = Client(SERVER_NAME="127.0.0.1", headers={"Sec-Fetch-Site": "same-origin"})

    def ask(self, method: str, address: str, /, **form: str) -> tuple[str, str]:
        answer = getattr(self.client, method.lower())(address, form)
        assert answer.status_code < 400, (method, address, answer.status_code, answer.text[-2000:])
        return answer.headers.get("Location", ""), answer.text


def count_queries(product: Any) -> None:
    """Statements that read or write, and beside them BEGIN, COMMIT and savepoints."""
    from django.db import connection

    list(buy(CountingBrowser(), product))
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    asked, around = {}, 0
    for step in buy(CountingBrowser(), product):
        statements = [entry["sql"] for entry in connection.queries_log]
        connection.queries_log.clear()
        asked[step] = sum(not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")) for sql in statements)
        around += len(statements) - asked[step]
        print(f"  {step:22} {asked[step]} queries")
    connection.force_debug_cursor = False
    to_pay_page = sum(list(asked.values())[2:8])
    print(f"product to pay page: {to_pay_page} queries (goal 25; Oscar 365, the book's shop 34)")
    print(f"guest journey: {sum(asked.values())} queries, and {around} that begin and end transactions (goal 45)")


def measure_cpu(product: Any) -> None:
    """CPU of the server processes for the journey, as a multiple of the bare constant page's."""
    shipped = web_server(PORT + 1, reload=False)[:-1]
    with server(PORT + 1, shipped) as site, server(PORT + 2, bare_server(PORT + 2), BENCH_BARE="1") as bare:
        list(buy(Browser(PORT + 1), product))
        bare_page(100)
        journeys, pages = [], []
        for _ in range(ROUNDS):
            journeys.append(cpu_of(site, lambda: [list(buy(Browser(PORT + 1), product)) for _ in range(5)]) / 5)
            pages.append(cpu_of(bare, lambda: bare_page(1000)) / 1000)
    journey, page = statistics.median(journeys), statistics.median(pages)
    print(
        f"guest journey: {journey * 1000:.1f} ms of server CPU = {journey / page:.0f} bare constant pages of "
        f"{page * 1e6:.0f} us (goal 200; product to pay page alone: Oscar 4,400, the book's shop 450-550)"
    )


def bare_page(times: int) -> None:
    browser = Browser(PORT + 2)
    for _ in range(times):
        browser.ask("GET", "/")


def bare_server(port: int) -> list[str]:
    few = ["--workers", "1", "--blocking-threads", "1", "--no-log"]
    return [sys.executable, "-m", "granian", "--interface", "wsgi", *few, "--host", "127.0.0.1", "--port", str(port)]


@contextmanager
def server(port: int, command: list[str], **environ: str) -> Iterator[int]:
    """Run a web server with one process on the port; yields the id of its process group's leader."""
    target = [*command, "bench._servers:application"]
    process = subprocess.Popen(target, env={**os.environ, **environ}, start_new_session=True)
    try:
        for _ in range(300):
            try:
                Browser(port).ask("GET", "/")
                break
            except OSError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def cpu_of(leader: int, act: Callable[[], object]) -> float:
    """Return the CPU seconds that a server's processes spend while `act` runs; the kernel counts in 10 ms."""
    before = group_cpu(leader)
    act()
    return group_cpu(leader) - before


# --- Orders per second ----------------------------------------------------------------------------------------------


def whole_reads() -> set[str]:
    """Return the tables with over 500 rows that have been read from end to end, with how often."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT relname, seq_scan FROM pg_stat_user_tables WHERE n_live_tup > 500")
        return {f"{table} {scans}" for table, scans in cursor}


def purchases(product: Any, title: str) -> float:
    """Place, open, pay and fulfil ORDERS orders one after the other; return our CPU seconds for each."""
    from django.db import connection

    purchase(product)
    times, ours = [], 0.0
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    purchase(product)
    queries = len(connection.queries_log)
    connection.force_debug_cursor = False
    before = whole_reads()
    for _ in range(ORDERS):
        started, spent = time.perf_counter(), time.process_time()
        purchase(product)
        times.append(time.perf_counter() - started)
        ours += time.process_time() - spent
    median = statistics.median(times)
    print(
        f"{title}: {ORDERS / sum(times):.0f} orders/s one after the other (median {median * 1000:.1f} ms, "
        f"{ours / ORDERS * 1000:.1f} ms of it our CPU, {queries} queries)"
    )
    print("  tables read from end to end:", ", ".join(sorted(whole_reads() - before)) or "none")
    return ours / ORDERS


def filled_cart(product: Any) -> Any:
    from django.contrib.sessions.backends.signed_cookies import SessionStore
    from django.test import RequestFactory

    from cart.cart import Cart

    request: Any = RequestFactory().get("/")
    request.session = SessionStore()  # costs no statement, unlike the site's, which the journey pays for
    cart = Cart(request)
    cart.add(product)
    return cart


def purchase(product: Any) -> None:
    from django.test import Client

    from orders import checkout
    from orders.models import Order
    from payment import attempts
    from payment.simulator.courier import sign

    cart = filled_cart(product)
    order = checkout.place_order(cart, contact=CONTACT, buyer=None, checkout_key=cart.checkout_key)
    session_id = attempts.start(order.token).rpartition("/")[2]
    control("pay", session=session_id)
    now = int(time.time())
    event = {
        "id": f"evt_{order.pk}",
        "object": "event",
        "type": "checkout.session.completed",
        "created": now,
        "livemode": False,
        "data": {"object": {"id": session_id}},
    }
    body = json.dumps(event).encode()
    signature = f"t={now},v1={sign(body, SECRET, at=now)}"
    answer = Client(SERVER_NAME="127.0.0.1").post(
        "/payment/webhook/", body, content_type="application/json", headers={"Stripe-Signature": signature}
    )
    assert answer.status_code == 200
    assert Order.objects.get(pk=order.pk).status == Order.Status.PAID


def control(act: str, **given: str) -> None:
    import urllib.request

    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/_control/{act}",
        data=json.dumps(given).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


if __name__ == "__main__":
    main()
