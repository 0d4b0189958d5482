"""Who imports whom in production code, read from the source: at the top of a file, in a function, for types only."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
NO_REASON = re.compile(r"noqa(: *[A-Z]+\d+(, *[A-Z]+\d+)*)?|type: *ignore(\[[\w, -]*\])?")


class Import(NamedTuple):
    """One arrow. Where `imported` is no module of the house, it is as the source names it."""

    importer: str
    imported: str
    line: int
    is_late: bool = False  # in a function
    is_for_types: bool = False  # below `if TYPE_CHECKING`

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


class House:
    """The modules of some packages in a folder, without their tests and migrations."""

    def __init__(self, folder: Path, packages: Iterable[str]) -> None:
        self.packages = list(packages)
        files = [file for package in self.packages for file in sorted((folder / package).rglob("*.py"))]
        self.files = {
            name_of(file.relative_to(folder)): file
            for file in files
            if not {"tests", "migrations"} & set(file.relative_to(folder).parts)
        }
        self.imports = [found for name in self.files for found in self._imports_of(name)]

    def lines(self, package: str) -> int:
        return sum(len(file.read_text().splitlines()) for name, file in self.files.items() if top(name) == package)

    def arrows(self, *, for_types: bool = False) -> list[Import]:
        """Return what the modules import of each other when they run, wherever it stands; or for types only."""
        ours = [found for found in self.imports if found.imported in self.files]
        return [found for found in ours if found.is_for_types == for_types]

    def tree(self, name: str) -> ast.Module:
        return ast.parse(self.files[name].read_text())

    def _imports_of(self, name: str) -> Iterator[Import]:
        base = name.split(".")[: None if self.files[name].stem == "__init__" else -1]
        for node, is_late, is_for_types in statements(self.tree(name)):
            for imported in {self._module(target) for target in targets(node, base)} - {name}:
                yield Import(name, imported, node.lineno, is_late, is_for_types)

    def _module(self, target: str) -> str:
        """Return the module that a dotted name lies in, if it is one of ours."""
        found = target
        while found and found not in self.files:
            found = found.rpartition(".")[0]
        return found or target


def linter() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def layers() -> list[list[str]]:
    """Return the packages, beside each other those that do not import each other, from the roof down."""
    return [layer.split(" | ") for layer in linter()["contracts"][0]["layers"]]


@cache
def site() -> House:
    return House(ROOT, [package for layer in layers() for package in layer])


@cache
def production() -> House:
    return House(ROOT, [package for package in site().packages if package != "bench"])


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def top(name: str) -> str:
    return name.partition(".")[0]


def statements(
    node: ast.AST, *, is_late: bool = False, is_for_types: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """Yield each import below the node, whether it stands in a function, and whether it is for types only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, is_late, is_for_types
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from statements(ast.Module(child.body, []), is_late=is_late, is_for_types=True)
            yield from statements(ast.Module(child.orelse, []), is_late=is_late, is_for_types=is_for_types)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from statements(child, is_late=is_late or is_function, is_for_types=is_for_types)


def targets(node: ast.Import | ast.ImportFrom, base: list[str]) -> Iterator[str]:
    """Yield the dotted names; `base` is the package of the importing module, which dots begin at."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    above = base[: len(base) + 1 - node.level] if node.level else []
    for alias in node.names:
        yield ".".join([*above, *filter(None, [node.module]), alias.name])


# --- Rules, each returns those who break it -------------------------------------------------------------------------


def circles(house: House) -> list[list[str]]:
    """Return the groups of modules that reach each other, by what stands in functions too."""
    ahead = {name: {found.imported for found in house.arrows() if found.importer == name} for name in house.files}
    reach = {name: reached(name, ahead) for name in ahead}
    groups = {tuple(sorted(other for other in reach[name] if name in reach[other])) for name in ahead}
    return sorted(list(group) for group in groups if group)


def reached(start: str, ahead: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = set(ahead[start])
    while waiting:
        found |= waiting
        waiting = set().union(*(ahead[name] for name in waiting)) - found
    return found


def upwards(imports: Iterable[Import], layers: list[list[str]]) -> list[str]:
    """Return the imports from one package to another that does not lie below it; `layers` begins with the highest."""
    height = {package: -number for number, layer in enumerate(layers) for package in layer}
    return [
        str(found)
        for found in imports
        if (here := top(found.importer)) != (there := top(found.imported)) and height[here] <= height[there]
    ]


def late_without_reason(house: House) -> list[str]:
    """Return imports in functions, AppConfig.ready apart, that no comment beside or above them explains."""
    found = []
    for name, file in house.files.items():
        if file.name != "apps.py":  # where models have to be waited for
            comments = reasons(file.read_text())
            found += [f"{name}:{node.lineno}" for node in unexplained(house.tree(name), comments)]
    return found


def unexplained(tree: ast.Module, comments: set[int]) -> Iterator[ast.Import | ast.ImportFrom]:
    explained = set(comments)
    for node, is_late, is_for_types in statements(tree):
        lines = range(node.lineno - 1, (node.end_lineno or node.lineno) + 1)
        if not is_late or is_for_types:
            continue
        if explained.isdisjoint(lines):
            yield node
        else:
            explained |= set(lines[1:])  # a comment holds for the imports that follow without a gap


def reasons(source: str) -> set[int]:
    """Return the lines with a comment that says something to people."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    return {line for line, text in comments.items() if re.search(r"\w+ \w+", NO_REASON.sub("", text))}
