"""
What stands on what: CONTRIBUTING.md's picture of the house, held against the source.

import-linter says which layers there are (pyproject.toml) and holds them while one works; here the graph is computed
from the source itself, with what it does not look at: imports for types only, sizes, reasons. Each rule has a twin that
breaks it in a small house of its own.
"""

import pytest

from tests.import_graph import ROOT, House, circles, late_without_reason, layers, linter, production, site, top, upwards

MAY_IMPORT_CONFIG = {"config", "tools", "bench"}
MOST_LINES = {"config": 1_300, "core": 5_000}
MOST_OF_ALL = 0.16  # of production code in one package


@pytest.fixture
def house(tmp_path):
    """Build a house of its own from `{"package/module.py": source}`."""

    def build(files):
        for name, source in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source)
        return House(tmp_path, sorted({top(name.replace("/", ".")) for name in files}))

    return build


def test_every_package_is_in_a_layer():
    kept = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}

    assert kept == set(site().packages) == set(linter()["root_packages"])


# --- Circles --------------------------------------------------------------------------------------------------------


def test_no_modules_import_each_other():
    assert circles(site()) == []


@pytest.mark.parametrize(
    "files",
    [
        {"a/one.py": "import a.two", "a/two.py": "from . import one"},
        {"a/one.py": "from a.two import x", "a/two.py": "def late():\n    from .one import y"},
        {"a/one.py": "import b.two", "b/two.py": "import c.three", "c/three.py": "class C:\n    import a.one"},
        {"a/one.py": "try:\n    from .two import x\nexcept ImportError:\n    pass", "a/two.py": "from .one import y"},
    ],
)
def test_a_circle_is_found(house, files):
    assert circles(house(files)) == [sorted(name.removesuffix(".py").replace("/", ".") for name in files)]


def test_a_package_that_gathers_its_modules_and_what_is_for_types_make_no_circle(house):
    found = house(
        {
            "a/__init__.py": "from .one import x\nfrom .two import y",
            "a/one.py": "from . import two",
            "a/two.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import one",
        }
    )

    assert circles(found) == []
    assert {str(found) for found in found.arrows()} == {
        "a:1 imports a.one",
        "a:2 imports a.two",
        "a.one:1 imports a.two",
    }


# --- Layers ---------------------------------------------------------------------------------------------------------


def test_imports_lead_downwards_only():
    assert upwards(site().arrows(), layers()) == []


def test_types_lead_downwards_too():
    assert upwards(site().arrows(for_types=True), layers()) == []


def test_nothing_below_imports_config():
    assert [str(found) for found in into(site(), "config") if top(found.importer) not in MAY_IMPORT_CONFIG] == []


def test_core_imports_no_app():
    apps = set(site().packages) - {"core"}

    assert [
        str(found) for found in site().arrows() if top(found.importer) == "core" and top(found.imported) in apps
    ] == []


def into(house, package):
    return [found for found in house.imports if top(found.imported) == package and top(found.importer) != package]


@pytest.mark.parametrize(
    "source", ["import high.one", "def late():\n    from high import one", "from beside import one"]
)
def test_an_arrow_upwards_or_beside_is_found(house, source):
    found = house({"high/one.py": "import low.one", "low/one.py": source, "beside/one.py": ""})

    (offender,) = upwards(found.arrows(), [["high"], ["low", "beside"]])

    assert offender.startswith("low.one:")


def test_an_import_of_config_is_found(house):
    (found,) = into(
        house({"config/urls.py": "", "shop/views.py": "def late():\n    from config import urls"}), "config"
    )

    assert str(found) == "shop.views:2 imports config.urls"


# --- Sizes ----------------------------------------------------------------------------------------------------------


def too_large(house):
    lines = {package: house.lines(package) for package in house.packages}
    most = MOST_OF_ALL * sum(lines.values())
    return [f"{package}: {number} lines" for package, number in lines.items() if number > MOST_LINES.get(package, most)]


def test_no_package_is_too_large():
    assert too_large(production()) == []


def test_a_package_that_is_too_large_is_found(house):
    small = {f"app{number}/views.py": "pass\n" * 200 for number in range(10)}
    found = house({**small, "config/urls.py": "pass\n" * 1301, "core/web.py": "", "big/views.py": "pass\n" * 900})

    assert too_large(found) == ["big: 900 lines", "config: 1301 lines"]


def test_tests_and_migrations_count_for_nothing(house):
    found = house({"a/models.py": "pass\n", "a/tests/test_a.py": "import a\n", "a/migrations/0001.py": "pass\n"})

    assert list(found.files) == ["a.models"]


# --- Imports in functions -------------------------------------------------------------------------------------------


def test_an_import_in_a_function_says_why():
    assert late_without_reason(production()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import x",
        "import x  # noqa: F401, E402",
        "from x import y  # type: ignore[attr-defined]",
        "# why it is late\n\n    import x",
        "import x  # half a second\n    act()\n    import y",
    ],
)
def test_one_that_does_not_is_found(house, source):
    assert len(late_without_reason(house({"a/one.py": f"def act():\n    {source}\n"}))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import x  # half a second",
        "import x  # noqa: F401 - it registers itself",
        "# Half a second.\n    import x\n    from y import (\n        z,\n    )\n    import w",
    ],
)
def test_one_that_does_is_not(house, source):
    assert (
        late_without_reason(house({"a/one.py": f"def act():\n    {source}\n", "a/apps.py": "def f():\n    import x"}))
        == []
    )
