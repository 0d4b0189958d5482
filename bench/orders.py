"""
Orders as the staff meet them: the admin's list and the CSV of 100,000 of them, and what an invoice's PDF costs.

The PDF is measured against WeasyPrint drawing the same HTML and nothing else. BENCH_ORDERS changes the number.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench._databases import postgresql

ORDERS = int(os.environ.get("BENCH_ORDERS", "100000"))
INVOICES = int(os.environ.get("BENCH_INVOICES", "300"))
LINES = 12


def main() -> None:
    with postgresql():
        template_order()
        multiply(ORDERS)
        list_pages()
        apart("csv_files")
        apart("drawings")


def apart(name: str) -> None:
    """Run one part in a process of its own, so that its memory is nobody else's."""
    code = f"import django; django.setup(); from bench import orders; orders.{name}()"
    subprocess.run([sys.executable, "-c", code], check=True)


def template_order() -> None:
    """Write one paid order as the shop writes it; the rest are copies."""
    from django.db import transaction
    from django.utils import timezone

    from orders import invoice
    from orders.models import Order, OrderLine
    from shop.models import Category, Product

    category = Category.objects.create(name="Paper", slug="paper")
    price = Decimal("12.50")
    product = Product.objects.create(category=category, name="Notebook", slug="notebook", price=price, vat_rate=19)
    order = Order.objects.create(
        checkout_key="template", first_name="Ada", last_name="Byron", email="ada@example.com", address="12 Lane",
        postal_code="10115", city="Berlin", country="DE", currency="EUR", subtotal=2 * price, total=2 * price,
        vat=Decimal("3.99"), expires_at=timezone.now(),
    )  # fmt: skip
    for _ in range(2):
        OrderLine.objects.create(
            order=order, product=product, name="Notebook", unit_price=price, vat_rate=19, quantity=1
        )
    with transaction.atomic():
        order.move(Order.Status.PAID)
        invoice.issue(order)


def multiply(number: int) -> None:
    """Copy the order with its lines, step and invoice inside the database, which is quicker than any ORM."""
    from django.db import connection

    copies = [
        ("orders_order", {"token": "'t' || n", "checkout_key": "'k' || n", "email": "'ada' || n || '@example.com'"}),
        ("orders_orderline", {}),
        ("orders_invoice", {"number": "n"}),
    ]
    with connection.cursor() as cursor:
        for table, changed in copies:
            columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
            columns.remove("id")
            changed = changed | ({"order_id": "n"} if "order_id" in columns else {"id": "n"})
            names = [*columns, "id"] if "id" in changed else columns
            values = ", ".join(changed.get(name, f"{table}.{name}") for name in names)
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}, generate_series(2, %s) n",
                [number],
            )
        cursor.execute("ANALYZE")


def list_pages() -> None:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from account.models import User

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(User.objects.create_superuser("staff", "staff@example.com", "-"))
    for name, query in [("list", {}), ("page 150", {"p": 150}), ("paid", {"status__exact": "paid"}),
                        ("by number", {"q": "#777"}), ("by name", {"q": "byron"}), ("by e-mail", {"q": "ada777@"})]:  # fmt: skip
        client.get("/admin/orders/order/", query)
        with CaptureQueriesContext(connection) as queries:
            took = seconds(lambda query=query: client.get("/admin/orders/order/", query))
        print(f"{name:12} {took * 1000:6.0f} ms, {len(queries)} queries")


def csv_files() -> None:
    from orders import export
    from orders.models import Order

    print(f"process before CSV: at most {memory():.0f} MB")
    for name, write in [("a row for each order", export.orders_csv), ("a row for each line", export.lines_csv)]:
        size = 0

        def read(write: Callable[..., Any] = write) -> None:
            nonlocal size
            for piece in write(Order.objects.all()).streaming_content:
                size += len(piece)

        took = seconds(read)
        print(f"CSV, {name}: {size / 1e6:.1f} MB in {took:.1f} s, process at most {memory():.0f} MB")


def drawings() -> None:
    from django.template.loader import render_to_string
    from weasyprint import CSS, HTML

    from orders import invoice

    content = snapshot()
    style = Path("static/css/invoice.css").read_text()
    html = render_to_string("orders/invoice.html", {"kind": "invoice", "label": "2026-00001", **content})
    ours, bare = [], []
    for _ in range(10):  # in turn, so that a busy machine slows both
        ours.append(seconds(lambda: invoice.render("invoice", "2026-00001", content), time.process_time))
        bare.append(seconds(lambda: HTML(string=html).write_pdf(stylesheets=[CSS(string=style)]), time.process_time))
    print(f"invoice of {LINES} lines, CPU: {min(ours) * 1000:.0f} ms, bare WeasyPrint {min(bare) * 1000:.0f} ms,"
          f" {min(ours) / min(bare):.2f} times")  # fmt: skip
    before = memory()
    for _ in range(INVOICES):
        invoice.render("invoice", "2026-00001", content)
    print(f"memory after {INVOICES} invoices: {before:.0f} -> {memory():.0f} MB")


def snapshot() -> dict[str, Any]:
    seller = {"name": "Atelier", "address": "1 Example Street\n12345 Town", "vat_id": "", "email": "", "register": ""}
    buyer = {"name": "Ada Byron", "company": "", "address": "12 Lane", "postal_code": "10115", "city": "Berlin",
             "country": "Germany", "vat_id": "", "email": "ada@example.com"}  # fmt: skip
    line = {"name": "Notebook", "quantity": 1, "unit_price": "12.50", "vat_rate": "19", "total": "12.50"}
    return {
        "seller": seller, "buyer": buyer, "order": 1, "ordered_on": "2026-01-02", "date": "2026-01-02",
        "currency": "EUR", "lines": [line] * LINES, "subtotal": "150.00", "coupon_code": "", "discount": "0.00",
        "shipping": "0.00", "rates": [{"rate": "19", "net": "126.05", "vat": "23.95", "gross": "150.00"}],
        "total": "150.00",
    }  # fmt: skip


def seconds(act: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    act()
    return clock() - start


def memory() -> float:
    """Return the most this process ever used, in MB; getrusage would tell the parent's when that was more."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
