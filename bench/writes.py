"""
What a like, a follow and a comment cost, in bare INSERTs: one row of one column, committed over the same connection.

On the database of DATABASE_URL, or SQLite without it. CPU time is that of this process and of PostgreSQL's for us, and
wall is what a member waits; each is the median of many, as no two commits wait equally long for the disk. The acts and
the bare INSERT take turns.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from bench._databases import chosen
from bench.growth import processor_time

TIMES = 300


def main() -> None:
    with chosen():
        report(measure(acts()))


def acts() -> dict[str, Callable[[int], Any]]:
    """Return what is done, by name; each act is done once by each of many people."""
    from django.db import connection
    from django.utils import timezone

    from account.models import User
    from blog.models import Comment, Post
    from images.models import Image

    User.objects.bulk_create(User(username=f"person-{n}", email=f"{n}@example.com") for n in range(TIMES))
    people = list(User.objects.order_by("pk"))
    image = Image.objects.create(owner=people[0], title="Heron", status="ready")
    post = Post.objects.create(
        author=people[0], title="Walnut", body="Text", status="published", publish_at=timezone.now()
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_bare (text varchar(20))")

    def bare(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_bare VALUES (%s)", [f"row {number}"])

    def comment(number: int) -> None:
        Comment(
            post=post, author=people[number], name="Ada", email="ada@example.com", body="Nice.", state="approved"
        ).save()

    return {
        "bare INSERT": bare,
        "like": lambda number: image.like(people[number]),
        "follow": lambda number: people[number].follow(people[number - 1]),
        "comment": comment,
    }


def measure(acts: dict[str, Callable[[int], Any]]) -> dict[str, tuple[float, float, int]]:
    """Return the median CPU and wall time of each, and how many statements it takes with BEGIN and COMMIT."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times: dict[str, list[tuple[float, float]]] = {name: [] for name in acts}
    for number in range(1, TIMES):
        for name, act in acts.items():
            cpu, wall = processor_time(), time.perf_counter()
            act(number)
            times[name].append((processor_time() - cpu, time.perf_counter() - wall))
    statements = {}
    for name, act in acts.items():
        with CaptureQueriesContext(connection) as captured:
            act(0)
        statements[name] = len(captured)
    return {
        name: (statistics.median(cpu for cpu, _ in each), statistics.median(wall for _, wall in each), statements[name])
        for name, each in times.items()
    }


def report(figures: dict[str, tuple[float, float, int]]) -> None:
    bare_cpu, bare_wall, _ = figures["bare INSERT"]
    print(f"{'act':<14}{'CPU':>8}{'wall':>8}{'statements':>12}   in bare INSERTs")
    for name, (cpu, wall, statements) in figures.items():
        print(f"{name:<14}{cpu / bare_cpu:>8.1f}{wall / bare_wall:>8.1f}{statements:>12}")
