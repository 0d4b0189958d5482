"""
The slowest of 1,000 requests against the median, on the server as it is shipped; asked one after the other.

What makes one of a thousand slow is not its page: a collection of garbage, a kept answer whose time is over, a sweep.
CPU is the thread time spent on the request, which a busy machine does not stretch; waiting is what a visitor sees.
"""

import asyncio
import statistics

from bench._load import Load
from bench._sites import CannotStart, Site, notes_of, site
from bench._traffic import Traffic

REQUESTS, WARM, GOAL = 1000, 50, 4


def main() -> None:
    try:
        with site("", "sqlite", "thousand") as measured:
            for kind, page, member in [("posts, each for the first time", "posts", None), ("products, the same", "products", None),
                                       ("post list, as a member", "", 0)]:  # fmt: skip
                asyncio.run(measure(measured, kind, page, member))
    except CannotStart as reason:
        print(reason)


async def measure(measured: Site, kind: str, page: str, member: int | None) -> None:
    load = Load(measured.port, measured.places, Traffic(measured.places, 1))
    wanted = [place[1] for place in measured.places[page]] if page else ["/blog/"] * (REQUESTS + WARM)
    for address in wanted[: REQUESTS + WARM]:
        await load.ask("GET", address, who="slowest", page=kind, member=member)
    load.pool.close()
    seen = load.seen[WARM:]
    cpu = [seconds for seconds, _hit in notes_of(measured, [each.number for each in seen])]
    for name, spent in [("CPU", cpu), ("waiting", [each.seconds for each in seen])]:
        median = statistics.median(spent)
        tell = (
            f"{kind}, {name}: slowest of {len(spent)} {max(spent) / median:.1f} x the median of {median * 1000:.1f} ms"
        )
        print(f"{tell} (goal {GOAL}); the tenth slowest {sorted(spent)[-10] / median:.1f} x")


if __name__ == "__main__":
    main()
