"""
What the tests notice: `make mutants` changes the code in one small place after the other and runs the tests that come
by. A change that no test minds is printed, with its diff; the share of those that were noticed is the score.

The changes are Cosmic Ray's (every comparison, operator, number, condition, decorator …). Left out are annotations,
which change nothing, and migrations, which run once. The sample is drawn with a seed, so two runs try the same. Which
tests come by a line is what coverage noted of each test; for what runs once, at import, all tests of the target are
taken.
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
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.plugins import get_operator, operator_names
from cosmic_ray.work_item import MutationSpec, TestOutcome
from coverage import CoverageData
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
    "limits": ("core/web/ratelimit.py", "core/web/tests/test_ratelimit.py account"),
    "kept pages": (
        "core/caching/pages.py core/caching/freshness.py core/caching/memory.py core/caching/paging.py",
        "core/caching/tests/test_pages.py core/caching/tests/test_versions.py core/caching/tests/test_memory.py"
        " core/caching/tests/test_paging.py core/caching/tests/test_whose_page_is_cached.py",
    ),
}
LEFT_OUT = {"__init__.py", "admin.py", "apps.py", "urls.py", "checks.py"}
SECONDS = 600  # for the tests of one mutant; a loop that never ends counts as noticed

VAR, PRISTINE, SELECTED = Path("var"), Path("pristine"), Path("selected")

PYTEST = [sys.executable, "-m", "pytest", "-q", "--ds=config.test_settings", "-m", "not (services or browser or live)"]
A_TEST = "cart/tests/test_cart.py"
# What stands at the top of a module, such as a decorator or a column, is also minded by those that look at every
# module.
WALKS = ("tests/test_migrations.py", "tests/test_every_address.py")

Place = tuple[int, int]


class Mutant(NamedTuple):
    target: str
    tests: str
    change: MutationSpec


class Verdict(NamedTuple):
    mutant: Mutant
    is_noticed: bool | None  # None: Cosmic Ray could not make this change
    tests: int
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
    verdicts = tqdm(judged(sample, options.jobs), total=len(sample), unit="mutant", mininterval=10)
    report([told(verdict) for verdict in verdicts])
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
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


@cache
def annotations(path: Path) -> list[tuple[Place, Place]]:
    """Return from where to where (line, column) each annotation of the file reaches."""
    found: list[Any] = []
    for node in ast.walk(parsed(path)):
        found += [getattr(node, name, None) for name in ("annotation", "returns")]
    return [((a.lineno, a.col_offset), (a.end_lineno, a.end_col_offset)) for a in found if a is not None]


def judged(sample: list[Mutant], jobs: int) -> Iterator[Verdict]:
    """Try the mutants in copies of what is committed, one copy for each job."""
    with tempfile.TemporaryDirectory(prefix="atelier-mutants-") as folder:
        copies = [Path(folder) / f"copy-{number}" for number in range(jobs)]
        for copy in copies:
            subprocess.run(["git", "worktree", "add", "--quiet", "--detach", copy], cwd=ROOT, check=True)
        pools = [ProcessPoolExecutor(1, initializer=enter, initargs=(copy,)) for copy in copies]
        try:
            tests = Tests(copies[0], {*WALKS, *chain(*(mutant.tests.split() for mutant in sample))}, jobs)
            futures = [
                pools[number % jobs].submit(judge, mutant, tests.of(mutant)) for number, mutant in enumerate(sample)
            ]
            yield from (future.result() for future in futures)
        finally:
            for pool in pools:
                pool.shutdown(cancel_futures=True)
            for copy in copies:
                subprocess.run(["git", "worktree", "remove", "--force", copy], cwd=ROOT, check=True)


class Tests:
    """Which tests come by which line, noted while all of them run once, and are green."""

    def __init__(self, copy: Path, tests: set[str], jobs: int) -> None:
        noting = ["--cov", "--cov-context=test", "--cov-report=", f"-n{jobs}"]
        subprocess.run([*PYTEST, *noting, *sorted(tests)], cwd=copy, stdout=subprocess.DEVNULL, check=True)
        self.copy, self.seen = copy, CoverageData(str(copy / ".coverage"))
        self.seen.read()

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that come by; all of the target for what runs at import."""
        change = mutant.change
        path = change.module_path
        lines = range(start_of_statement(path, change.start_pos[0]), change.end_pos[0] + 1)
        contexts = self.seen.contexts_by_lineno(str(self.copy / path))
        come_by = {name_of(context) for line in lines for context in contexts.get(line, [])} - {""}
        return sorted(come_by or self.own(mutant), key=lambda test: (*unlikely(test, mutant), test))

    def own(self, mutant: Mutant) -> set[str]:
        files = {name_of(context).partition("::")[0] for context in self.seen.measured_contexts()}
        return {file for file in files if file.startswith((*WALKS, *mutant.tests.split()))}


def name_of(context: str) -> str:
    """Return the test in "path::Class::test[parameter]|run" without its parameter, which may hold anything."""
    return context.partition("|")[0].partition("[")[0]


def unlikely(test: str, mutant: Mutant) -> tuple[bool, bool]:
    """Sort the tests that probably mind to the front: one that does ends the run."""
    stem = mutant.change.module_path.stem.removesuffix("s")
    return f"/test_{stem}" not in test, not test.startswith(tuple(mutant.tests.split()))


@cache
def statements(path: Path) -> list[tuple[int, int]]:
    found = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.stmt)]
    return sorted((first_line(node), node.end_lineno or 0) for node in found)


def first_line(node: ast.stmt) -> int:
    """Return where a statement begins; a function or class with its decorators, which run at import."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def start_of_statement(path: Path, line: int) -> int:
    """Return where the innermost statement around this line begins."""
    return max(first for first, last in statements(path) if first <= line <= last)


def enter(copy: Path) -> None:
    """Work in this copy, and make the test database once."""
    os.chdir(copy)
    # A changed file may be as long and as old, in seconds, as the one before it: Python would take its own old copy.
    os.environ |= {"TEST_VAR_DIR": str(copy / "var"), "PYTHONDONTWRITEBYTECODE": "1"}
    VAR.mkdir()
    subprocess.run([*PYTEST, "--reuse-db", A_TEST], stdout=subprocess.DEVNULL, check=True)
    VAR.rename(PRISTINE)


def judge(mutant: Mutant, tests: list[str]) -> Verdict:
    # What a killed run has left must not fail the next one.
    shutil.rmtree(VAR, ignore_errors=True)
    shutil.copytree(PRISTINE, VAR)
    SELECTED.write_text("\n".join(tests))
    result = mutate_and_test([mutant.change], shlex.join([*PYTEST, "-x", "--reuse-db", f"@{SELECTED}"]), SECONDS)
    if result.test_outcome == TestOutcome.INCOMPETENT:
        return Verdict(mutant, None, len(tests), "")
    return Verdict(mutant, result.test_outcome == TestOutcome.KILLED, len(tests), result.diff or "")


def told(verdict: Verdict) -> Verdict:
    if verdict.is_noticed is False:
        print(f"\nNone of {verdict.tests} tests minds this one:\n{verdict.diff}", flush=True)
    return verdict


def report(verdicts: list[Verdict]) -> None:
    made = [verdict for verdict in verdicts if verdict.is_noticed is not None]
    tried = Counter(verdict.mutant.target for verdict in made)
    noticed = Counter(verdict.mutant.target for verdict in made if verdict.is_noticed)
    for target in tried:
        print(f"{target:<12}{noticed[target]:>4} of {tried[target]:>4} noticed")
    print(f"{noticed.total()} of {tried.total()} noticed: {noticed.total() / max(1, tried.total()):.0%}")


if __name__ == "__main__":
    sys.exit(main())
