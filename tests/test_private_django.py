"""
Django promises nothing about its private parts: names that begin with an underscore, and modules without a page in its
documentation. The few that the site cannot do without are listed here, each with the one module that uses it, so that a
new Django is met with a list of what to look at.
"""

import ast
import importlib
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path

import django
import pytest

ROOT = Path(__file__).parent.parent
LAYERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
FOLDERS = sorted(set(LAYERS) - {"bench", "tools"})  # which ask no Django
CHECKED_ON = (6, 1)  # the newest version of Django on which the uses below were looked at

USES = {
    "account/sessions.py": {"_get_session_from_db", "_get_new_session_key", "django.contrib.sessions.backends.base"},
    "archive/schema.py": {"django.db.migrations.executor", "django.db.migrations.recorder"},
    "archive/tables.py": {"django.db.models.sql", ".introspection", ".ops"},
    "core/serving/intake.py": {"django.core.handlers.wsgi"},
    "core/staff/adminsite.py": {"django.contrib.admin.utils"},
    "core/templatetags/fragments.py": {"django.template.base", "django.template.loader_tags"},
    "core/web/csrf.py": {"_accept", "_reject"},
}

# They begin with an underscore and are documented all the same.
DOCUMENTED = {"_meta", "_state", "_default_manager", "_base_manager"}
UNDOCUMENTED_MODULES = (
    "django.contrib.admin.utils",
    "django.contrib.sessions.backends.base",
    "django.core.handlers",
    "django.db.backends.postgresql",
    "django.db.backends.sqlite3",
    "django.db.backends.utils",
    "django.db.migrations.executor",
    "django.db.migrations.graph",
    "django.db.migrations.loader",
    "django.db.migrations.recorder",
    "django.db.models.fields.related",
    "django.db.models.query",
    "django.db.models.sql",
    "django.template.base",
    "django.template.loader_tags",
    "django.utils.deprecation",
)
OF_A_CONNECTION = {"ops", "introspection", "features", "creation"}


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Parse the code that runs on the site, without tests and migrations."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.parts[len(ROOT.parts) :]):
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in DOCUMENTED


def own_names() -> set[str]:
    """Return the private names of our own classes' parts."""
    names = set()
    for _path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                names |= {part.name for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)}
                names |= {each.id for part in node.body for each in ast.walk(part) if is_stored(each, ast.Name)}
            elif (
                is_stored(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            ):
                names.add(node.attr)
    return names


def is_stored(node: ast.AST, kind: type) -> bool:
    return isinstance(node, kind) and isinstance(node.ctx, ast.Store)


def private_uses(tree: ast.Module, ours: set[str]) -> set[str]:
    """Return what a module takes of somebody else's: attributes and imported names, parts of a connection, modules."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found |= {node.attr} if is_private(node.attr) and node.attr not in ours else set()
            found |= (
                {f".{node.attr}"} if node.attr in OF_A_CONNECTION and "connection" in ast.unparse(node.value) else set()
            )
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("django"):
            found |= {alias.name for alias in node.names if is_private(alias.name)}
            found |= {node.module} if node.module.startswith(UNDOCUMENTED_MODULES) else set()
    return found


def overridden(path: str, tree: ast.Module) -> set[str]:
    """Return the private methods of Django's classes that classes of this module replace."""
    if not any(isinstance(node, ast.ClassDef) and node.bases for node in tree.body):
        return set()
    module = importlib.import_module(path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    classes = [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == module.__name__]
    return {
        name
        for each in classes
        for base in each.__mro__[1:]
        if base.__module__.startswith("django.")
        for name in vars(each).keys() & vars(base).keys()
        if is_private(name) and inspect.isfunction(vars(each)[name]) and not name.endswith("_")
    }


# Names of Python's, of named tuples for instance.
OF_PYTHON = {"_replace", "_fields", "_asdict"}


def test_only_the_modules_listed_use_private_parts_of_django():
    ours = own_names() | OF_PYTHON
    found = {path: private_uses(tree, ours) | overridden(path, tree) for path, tree in trees()}
    # What one of our own classes happens to call the same is seen by no reading of names: csrf.py says self._accept.
    found["core/web/csrf.py"] |= {"_accept"} & {
        n.attr for n in ast.walk(dict(trees())["core/web/csrf.py"]) if isinstance(n, ast.Attribute)
    }

    assert {path: names for path, names in found.items() if names} == USES


def test_this_django_is_one_that_the_private_parts_were_checked_on():
    assert django.VERSION[:2] <= CHECKED_ON, (
        f"Django {django.__version__} is newer than {CHECKED_ON}, the last on which its private parts were looked at: "
        "see that those in USES still do what the modules want of them, run all tests, and set CHECKED_ON."
    )


@pytest.mark.parametrize(
    "code, found",
    [
        ("rows._result_cache = []", {"_result_cache"}),
        ("connection.ops.quote_name(x)", {".ops"}),
        ("connections[alias].introspection", {".introspection"}),
        ("from django.db.models.sql import InsertQuery", {"django.db.models.sql"}),
        ("from django.db.models.query import ModelIterable", {"django.db.models.query"}),
        ("from django.core.cache import _caches", {"_caches"}),
        ("row._meta.pk, row._state.adding, self._ours", set()),
    ],
)
def test_a_use_is_found(code, found):
    assert private_uses(ast.parse(code), {"_ours"}) == found
