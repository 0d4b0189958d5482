"""
The shop's pages on PostgreSQL at 1,000 and at 100,000 products: queries, processor time and waiting time of one page.

Pages are made anew each time (core/caching/pages.py stands outside Django and is not asked). BENCH_PRODUCTS changes the
larger number.
"""

import os
import time
from decimal import Decimal
from typing import Any

from bench._databases import postgresql

FEW = 1_000
MANY = int(os.environ.get("BENCH_PRODUCTS", "100000"))
CATEGORIES = 8
ROUNDS = 30


def main() -> None:
    with postgresql():
        figures = {}
        for products in (FEW, MANY):
            fill(products)
            figures[products] = measure()
        print(
            f"{'page':<34}{'queries':>8}{f'CPU ms at {FEW}':>18}{f'at {MANY}':>14}{f'wall ms at {FEW}':>18}{f'at {MANY}':>14}"
        )
        for name, (queries, cpu, wall) in figures[FEW].items():
            _, cpu_many, wall_many = figures[MANY][name]
            print(f"{name:<34}{queries:>8}{cpu:>18.1f}{cpu_many:>14.1f}{wall:>18.1f}{wall_many:>14.1f}")


def fill(products: int) -> None:
    """Write products until there are so many; every fourth is sold out, every fourth has no end."""
    from django.db import connection

    from shop.counts import recount
    from shop.models import Category, Product

    for number in range(CATEGORIES):
        Category.objects.get_or_create(slug=f"category-{number}", defaults={"name": f"Category {number}"})
    categories = list(Category.objects.all())
    Product.objects.bulk_create(
        (
            Product(
                category=categories[number % CATEGORIES],
                name=f"Product {number}",
                slug=f"product-{number}",
                price=Decimal(5 + number % 90),
                stock=[None, 0, 5, 100][number // CATEGORIES % 4],
            )
            for number in range(Product.objects.count(), products)
        ),
        batch_size=5_000,
    )
    list(recount(write=True))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE shop_product")


def measure() -> dict[str, tuple[int, float, float]]:
    from django.test import Client

    from shop.models import Product

    client, buyer = Client(SERVER_NAME="127.0.0.1"), Client(SERVER_NAME="127.0.0.1")
    bought = Product.objects.filter(stock=100)[:5]
    for product in bought:
        buyer.post(f"/cart/add/{product.pk}/", {"quantity": 2}, headers={"Origin": "http://127.0.0.1"})
    return {
        "list": page(client, "/shop/"),
        "list in stock by price": page(client, "/shop/?in_stock=on&sort=price"),
        "list of a category, page 5": page(client, "/shop/category-1/?page=5"),
        "product": page(client, bought[0].get_absolute_url()),
        "cart of five lines": page(buyer, "/cart/"),
    }


def page(client: Any, address: str) -> tuple[int, float, float]:
    """Return the queries of a page, and the least processor and waiting time of several tries, in milliseconds."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        status = client.get(address).status_code
    queries = len(captured)  # before the next request empties the log
    if status != 200:
        raise RuntimeError(f"{address} answered {status}")
    times = []
    for _ in range(ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        client.get(address)
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    return queries, min(cpu for cpu, _ in times) * 1000, min(wall for _, wall in times) * 1000
