"""
Lists and things of ours beside those of others, on the same rows in the same run: `python -m bench peers`.

Each contender runs in a process of its own (bench/_peers) and calls its own WSGI application; this program tells them in
turns what to ask for, and takes the least CPU time of several blocks. Wagtail and django-oscar come from PyPI into a
virtual environment of their own, pinned in requirements/bench-peers.txt; linkding is not on PyPI and its code is not
ours to copy, so it is left out. Plain is an ordinary, well-written Django site, tutorial the same without its care.

The table goes into docs/benchmarks.md, between its markers. BENCH_ROWS changes the number of rows (1,000).
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench._sites import CannotStart, python_with
from tools.bootstrap import ROOT

ROWS = int(os.environ.get("BENCH_ROWS", "1000"))
ROUNDS = 6
PEERS = ROOT / "bench" / "_peers"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
KINDS = ["post list", "post", "catalogue", "product", "picture list"]
STATES = ["first", "repeat", "member"]
OURS = {"Atelier": "atelier", "Atelier, kept": "atelier_kept"}
THEIRS = {"plain Django": "plainsite", "tutorial": "tutorialsite", "Wagtail": "wagtailsite", "Oscar": "oscarsite"}


@dataclass
class Contender:
    name: str
    process: subprocess.Popen[str]
    sizes: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    blocks: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def hear(self) -> Any:
        line = self.process.stdout.readline()
        if not line:
            raise CannotStart(f"{self.name} ended by itself; what it said stands above.")
        return json.loads(line)

    def measure(self, kind: str, state: str) -> None:
        self.process.stdin.write(f"{kind} {state}\n")
        self.process.stdin.flush()
        mean = self.hear()
        if mean is not None:
            self.blocks.setdefault((kind, state), []).append(mean)

    def least(self, kind: str, state: str) -> float | None:
        return min(self.blocks.get((kind, state), [None]))


def main() -> None:
    try:
        theirs = python_with(ROOT / "requirements" / "bench-peers.txt")
        with ExitStack() as stack:
            pythons = [(name, module, sys.executable) for name, module in OURS.items()]
            pythons += [(name, module, theirs) for name, module in THEIRS.items()]
            contenders = [stack.enter_context(running(*each)) for each in pythons]
            for contender in contenders:
                said = contender.hear()
                contender.sizes, contender.versions = said["sizes"], said["versions"]
            for _round in range(ROUNDS):
                measure(contenders)
            table = "\n".join(report(contenders))
    except CannotStart as reason:
        print(reason)
        return
    print(table)
    write(table)


@contextmanager
def running(name: str, module: str, python: str) -> Iterator[Contender]:
    with tempfile.TemporaryDirectory(prefix="atelier-peer-") as folder:
        environment = {**os.environ, "PEER_FOLDER": folder, "PYTHONPATH": f"{ROOT}:{PEERS}", "PYTHONSAFEPATH": "1"}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        command = [python, str(PEERS / "serve.py"), module, str(ROWS)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes) as process:
            try:
                yield Contender(name, process)
            finally:
                process.kill()


def measure(contenders: list[Contender]) -> None:
    for contender in contenders:
        if "constant" in contender.sizes:
            contender.measure("constant", "repeat")
    for kind in KINDS:
        for state in STATES:
            for contender in contenders:
                if kind in contender.sizes and (contender.name != "Atelier, kept" or state == "repeat"):
                    contender.measure(kind, state)


def report(contenders: list[Contender]) -> Iterator[str]:
    unit = min(each.least("constant", "repeat") for each in contenders if "constant" in each.sizes)
    versions = {name: version for each in contenders for name, version in each.versions.items()}
    spreads = [max(found) / min(found) for each in contenders for found in each.blocks.values()]
    yield f"{datetime.now(UTC):%Y-%m-%d}, {ROWS:,} posts, products and pictures, SQLite, Python {platform.python_version()}, "
    yield ", ".join(f"{name} {version}" for name, version in versions.items()) + f"; {os.cpu_count()} cores of {cpu()}."
    yield f"CPU in dm, the least of {ROUNDS} blocks; the dearest block was {statistics.median(spreads):.2f} times the least (median)."
    yield ""
    yield "| page | " + " | ".join(each.name for each in contenders) + " |"
    yield "| --- |" + " --- |" * len(contenders)
    for kind in KINDS:
        for state in STATES:
            yield f"| {kind}, {state} | " + " | ".join(cell(each, kind, state, unit) for each in contenders) + " |"
        sizes = (f"{each.sizes[kind] / 1000:.1f}" if kind in each.sizes else "" for each in contenders)
        yield f"| {kind}, KB of HTML | " + " | ".join(sizes) + " |"


def cell(contender: Contender, kind: str, state: str, unit: float) -> str:
    least = contender.least(kind, state)
    return "" if least is None else f"{least / unit:.{2 if least < unit else 1}f}"


def cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    found = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return found or platform.machine()


def write(table: str) -> None:
    """Put the table between the document's markers."""
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
