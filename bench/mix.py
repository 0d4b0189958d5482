"""
The site under the traffic that it is made for: visitors, members who write, an order now and then, links with trackers.

    python -m bench mix --site small --rate 50,200 --database postgresql
    python -m bench mix --against 1c95c70          # another commit on the same rows, in turns

The real server (two granian workers on real sockets, DEBUG off, sweeps beside it) is asked by bench/_load.py, which says
what it visits in bench/_traffic.py. CPU is what the web server's processes spend by /proc; that of a single request is
the thread time spent on it (bench/_apart/mix_served.py), without reading the socket. PostgreSQL's own CPU is
told apart; the sweeps' and that of whoever asks do not count. On PostgreSQL there is a Redis as well.

- first: an address that no visitor has asked for before in this run, trackers put aside;
- repeat: one that was asked for before, whatever was written meanwhile;
- member: a page for somebody logged in;
- hit: answered without Django. Two workers keep pages apart: the second visit may be the other one's first.

"Unchanged repeats" are those that show what their address showed the last time; a perfect cache would answer them all.
A run begins with a warm-up, whose requests make addresses known and are not counted.
"""

import argparse
import asyncio
import signal
import statistics
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench._load import MOST_WAITING, Load, Seen
from bench._sites import CannotStart, Site, notes_of, site
from bench._traffic import ACTS, PAGES, Traffic

VISITORS = ("first", "repeat")


@dataclass
class Run:
    """What one site did at one rate."""

    site: Site
    load: Load
    requests: int = 0
    seconds: float = 0.0
    database: float = 0.0  # CPU seconds of PostgreSQL
    ratios: list[float] = field(default_factory=list)  # requests per CPU second, block by block

    def notes(self) -> list[tuple[Seen, float, bool]]:
        """Return each answer with its CPU seconds, and whether it came from memory."""
        notes = notes_of(self.site, [seen.number for seen in self.load.seen])
        return [(seen, *note) for seen, note in zip(self.load.seen, notes, strict=True)]


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as Ctrl-C does, with all that was started
    options = parsed(sys.argv[sys.argv.index("mix") + 1 :] if "mix" in sys.argv else [])
    try:
        with ExitStack() as stack:
            names = ["", options.against] if options.against else [""]
            sites = [stack.enter_context(site(name, options.database, options.site)) for name in names]
            for rate in options.rate:
                asyncio.run(measure(sites, rate, options))
    except CannotStart as reason:
        print(reason)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench mix", description="The site under everyday traffic.")
    parser.add_argument("--site", choices=["large", "small"], default="small")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rate", type=lambda text: [float(each) for each in text.split(",")], default=[50.0])
    parser.add_argument("--seconds", type=float, default=30, help="of one block")
    parser.add_argument("--blocks", type=int, default=0, help="by default 1, or 4 of each in turns with --against")
    parser.add_argument("--warm-up", type=float, default=10, help="seconds before the first block")
    parser.add_argument("--against", default="", metavar="REVISION")
    parser.add_argument("--tracking", choices=["some", "all"], default="some", help="all: every link has a fbclid")
    parser.add_argument("--orders", type=int, default=3, help="in one block")
    return parser.parse_args(arguments)


async def measure(sites: list[Site], rate: float, options: argparse.Namespace) -> None:
    runs = [
        Run(each, Load(each.port, each.places, Traffic(each.places, 7, tracking=options.tracking))) for each in sites
    ]
    for run in runs:
        await run.load.prepare()
        await run.load.run(rate, options.warm_up, 0)
        run.load.seen.clear()
        run.load.gave_up = 0
    for _block in range(options.blocks or (4 if len(runs) > 1 else 1)):
        for run in runs:
            await one_block(run, rate, options)
    for run in runs:
        run.load.pool.close()
        title = f"{options.site} site, {options.database}, {rate:.0f} requests/s"
        print(f"\n--- {title}{', tracked' if options.tracking == 'all' else ''}: {run.site.name} ---")
        report(run)
    if len(runs) > 1:
        compare(*runs)


async def one_block(run: Run, rate: float, options: argparse.Namespace) -> None:
    before, requests, database = run.site.cpu(), len(run.load.seen), run.site.database_cpu()
    run.seconds += await run.load.run(rate, options.seconds, options.orders)
    made = len(run.load.seen) - requests
    run.ratios.append(made / (run.site.cpu() - before))
    run.requests += made
    run.database += run.site.database_cpu() - database


def report(run: Run) -> None:
    notes, load = run.notes(), run.load
    if run.database:
        print(f"PostgreSQL's own CPU: {1e3 * run.database / run.requests:.2f} ms a request, beside the web server's")
    visits = [note for note in notes if note[0].who in VISITORS]
    unchanged = [note for note in visits if note[0].who == "repeat" and note[0].is_unchanged]
    print(f"{run.requests} requests, {run.requests / run.seconds:.0f} a second; per CPU second {spread(run.ratios)}")
    print(f"visitors answered from memory {hits(visits)}, unchanged repeats {hits(unchanged)} of {len(unchanged)}")
    waits = sorted(seen.seconds for seen in load.seen)
    print(
        f"waited: median {1e3 * waits[len(waits) // 2]:.1f} ms, slowest of 100 {1e3 * waits[-len(waits) // 100]:.0f} ms"
    )
    if load.gave_up:
        print(f"{load.gave_up} visits were not made: {MOST_WAITING} others were waiting already")
    print(
        f"stale {len(load.stale)}, foreign {len(load.foreign)}, refused {len(load.refused)}, acts {next(load.acts) - 1}"
    )
    for trouble in [*load.stale[:5], *load.foreign[:5], *load.refused[:5]]:
        print(f"  {trouble}")
    print(
        f"\n{'CPU ms a request':<18}{'visits':>8}{'hits':>7}{'first':>9}{'repeat':>9}{'missed':>9}{'hit':>7}{'member':>9}"
    )
    for page in PAGES:
        of_page = [note for note in visits if note[0].page == page]
        member = [note for note in notes if note[0].page == page and note[0].who == "member"]
        by_who = [[note for note in of_page if note[0].who == who] for who in VISITORS]
        missed = [note for note in by_who[1] if not note[2]]
        hit = [note for note in of_page if note[2]]
        cells = f"{cost(by_who[0])}{cost(by_who[1])}{cost(missed)}{cost(hit, 7)}{cost(member)}"
        print(f"{page:<18}{len(of_page):>8}{hits(of_page):>7}{cells}")
    acts = ((act, [note for note in notes if note[0].page == act and note[0].who == "act"]) for act in ACTS)
    print("acts:", ", ".join(f"{act} {cost(found, 0)} ms ({len(found)})" for act, found in acts if found))
    print("where the CPU went:", ", ".join(shares(notes)))


def shares(notes: list[tuple[Seen, float, bool]]) -> Iterable[str]:
    whole = sum(cpu for _seen, cpu, _hit in notes)
    for who in ["first", "repeat", "member", "act", "guest", "check"]:
        yield f"{who} {sum(cpu for seen, cpu, _hit in notes if seen.who == who) / whole:.0%}"


def hits(notes: list[tuple[Seen, float, bool]]) -> str:
    return f"{sum(is_hit for _seen, _cpu, is_hit in notes) / len(notes):.2f}" if notes else "-"


def cost(notes: list[tuple[Seen, float, bool]], width: int = 9) -> str:
    return f"{1e3 * statistics.mean(cpu for _seen, cpu, _hit in notes) if notes else float('nan'):>{width}.2f}"


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}..{max(values):.1f})"


def compare(ours: Run, other: Run) -> None:
    ratios = [mine / theirs for mine, theirs in zip(ours.ratios, other.ratios, strict=True)]
    print(f"\nrequests per CPU second, this / {other.site.name}: {spread(ratios)} in {len(ratios)} turns")


if __name__ == "__main__":
    main()
