"""
What the tests notice: `make mutants` changes the code in one small place after the other and runs the tests that should
see it. A change that no test minds is printed, with its diff; the share of those that were noticed is the score.

The changes are Cosmic Ray's (every comparison, operator, number, condition, decorator …). Left out are annotations, which
change nothing, and migrations, which run once. The sample is drawn with a seed, so two runs try the same.
"""

import argparse
import ast
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.plugins import get_operator, operator_names
from cosmic_ray.work_item import MutationSpec, TestOutcome
from tqdm import tqdm

from .bootstrap import ROOT

# What is changed, and the tests that should mind.
TARGETS = {
    "payment": ("payment/*.py", "payment"),
    "orders": ("orders/*.py orders/models/*.py", "orders"),
    "cart": ("cart/*.py", "cart"),
    "mail": ("mail/*.py", "mail"),
    "account": ("account/models/*.py account/registration.py account/second_factor.py", "account"),
    "search": ("search/*.py search/engines/*.py", "search"),
    "limits": ("config/ratelimit.py", "config/tests/test_ratelimit.py account"),
    "kept pages": (
        "config/pagecache.py config/freshness.py config/kept.py config/paging.py",
        "config/tests/test_pagecache.py config/tests/test_freshness.py config/tests/test_kept.py"
        " config/tests/test_paging.py config/tests/test_whose_page_is_kept.py",
    ),
}
LEFT_OUT = {"__init__.py", "admin.py", "apps.py", "urls.py", "checks.py"}
SECONDS = 600  # for the tests of one mutant; a loop that never ends counts as noticed

DATABASE, PRISTINE = Path("var/test.sqlite3"), Path("var/pristine.sqlite3")

Place = tuple[int, int]


class Mutant(NamedTuple):
    target: str
    tests: str
    change: MutationSpec


class Verdict(NamedTuple):
    mutant: Mutant
    is_noticed: bool
    diff: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description="See which changes of the code no test minds.")
    parser.add_argument("targets", nargs="*", help=f"any of: {', '.join(TARGETS)} (all unless named)")
    parser.add_argument("--sample", type=int, default=300, help="how many changes are tried (default 300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    mutants = [mutant for target in options.targets or TARGETS for mutant in mutants_of(target)]
    sample = drawn(mutants, options.sample, random.Random(options.seed))  # noqa: S311
    print(f"{len(mutants)} changes are possible, {len(sample)} of them are tried.", flush=True)
    report(list(tqdm(judged(sample, options.jobs), total=len(sample), unit="mutant", disable=None)))
    return 0


def mutants_of(target: str) -> Iterator[Mutant]:
    places, tests = TARGETS[target]
    for path in sorted(path for pattern in places.split() for path in ROOT.glob(pattern)):
        if path.name not in LEFT_OUT:
            yield from (Mutant(target, tests, change) for change in changes_of(path.relative_to(ROOT)))


def drawn(mutants: list[Mutant], size: int, rng: random.Random) -> list[Mutant]:
    """Draw places first, then one change for each: a plus sign has ten changes, and any test minds most of them."""
    places: dict[tuple[Path, Place], list[Mutant]] = {}
    for mutant in mutants:
        places.setdefault((mutant.change.module_path, mutant.change.start_pos), []).append(mutant)
    return [rng.choice(places[place]) for place in rng.sample(sorted(places), min(size, len(places)))]


def changes_of(path: Path) -> Iterator[MutationSpec]:
    tree = get_ast_from_path(path)
    for name in operator_names():
        operator_class = get_operator(name)
        if operator_class.arguments():
            continue
        operator = operator_class()
        places = ((node, *place) for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, (_node, start, end) in enumerate(places):
            if not any(first <= start and end <= last for first, last in annotations(path)):
                yield MutationSpec(path, name, occurrence, start, end)


@cache
def annotations(path: Path) -> list[tuple[Place, Place]]:
    """Return from where to where (line, column) each annotation of the file reaches."""
    found: list[Any] = []
    for node in ast.walk(ast.parse(path.read_text())):
        found += [getattr(node, name, None) for name in ("annotation", "returns")]
    return [((a.lineno, a.col_offset), (a.end_lineno, a.end_col_offset)) for a in found if a is not None]


def judged(sample: list[Mutant], jobs: int) -> Iterator[Verdict]:
    """Try the mutants in copies of what is committed, one copy for each job."""
    with tempfile.TemporaryDirectory(prefix="atelier-mutants-") as folder:
        copies = [Path(folder) / f"copy-{number}" for number in range(jobs)]
        for copy in copies:
            subprocess.run(["git", "worktree", "add", "--quiet", "--detach", copy], cwd=ROOT, check=True)
        try:
            pools = [ProcessPoolExecutor(1, initializer=enter, initargs=(copy,)) for copy in copies]
            futures = [pools[number % jobs].submit(judge, mutant) for number, mutant in enumerate(sample)]
            yield from (future.result() for future in futures)
        finally:
            for pool in pools:
                pool.shutdown(cancel_futures=True)
            for copy in copies:
                subprocess.run(["git", "worktree", "remove", "--force", copy], cwd=ROOT, check=True)


def enter(copy: Path) -> None:
    """Work in this copy; make the test database once, and see that the tests are green before anything is changed."""
    os.chdir(copy)
    # A changed file may be as long and as old, in seconds, as the one before it: Python would take its own old copy.
    os.environ |= {"TEST_VAR_DIR": str(copy / "var"), "PYTHONDONTWRITEBYTECODE": "1"}
    (copy / "var").mkdir()
    every = " ".join(sorted({tests for _, tests in TARGETS.values()}))
    subprocess.run(shlex.split(pytest(every)), stdout=subprocess.DEVNULL, check=True)
    shutil.copy(DATABASE, PRISTINE)


def judge(mutant: Mutant) -> Verdict:
    shutil.copy(PRISTINE, DATABASE)  # what a killed run has left in it must not fail the next one
    result = mutate_and_test([mutant.change], pytest(mutant.tests), SECONDS)
    return Verdict(mutant, result.test_outcome != TestOutcome.SURVIVED, result.diff or result.output or "")


def pytest(tests: str) -> str:
    python = shlex.quote(sys.executable)
    return (
        f"{python} -m pytest -x -q --reuse-db --ds=config.test_settings -m 'not (services or browser or live)' {tests}"
    )


def report(verdicts: list[Verdict]) -> None:
    tried: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for verdict in verdicts:
        tried[verdict.mutant.target] += 1
        noticed[verdict.mutant.target] += verdict.is_noticed
        if not verdict.is_noticed:
            print(f"\nNo test minds this one:\n{verdict.diff}")
    for target in tried:
        print(f"{target:<12}{noticed[target]:>4} of {tried[target]:>4} noticed")
    total, share = sum(tried.values()), sum(noticed.values()) / max(1, sum(tried.values()))
    print(f"{sum(noticed.values())} of {total} noticed: {share:.0%}")


if __name__ == "__main__":
    sys.exit(main())
