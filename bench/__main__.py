"""
`make bench`: run every benchmark of this folder, each a module with a `main()` that prints its figures.

`python -m bench pages orders` runs some; what follows a name with dashes are its options.
"""

import importlib
import pkgutil
import sys

import bench

ONLY_BY_NAME = {"peers"}  # it downloads


def main() -> None:
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")]
    wanted = sys.argv[1:] or [name for name in names if name not in ONLY_BY_NAME]
    for name in wanted:
        if name.startswith("-"):
            break  # options of the one named before
        print(f"\n=== {name} ===", flush=True)
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
