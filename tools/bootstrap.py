"""
Prepare a bare machine: `python3 tools/bootstrap.py base` (or `dev`) makes .venv hold that lock, no more.

Runs on the system's Python with nothing installed, so the standard library only. Safe to run twice; when the lock is
the one installed last time it returns at once.
"""

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PANGO = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core", "fonts-droid-fallback"]


def main(lock: str, django: str = "") -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (this is the program that says so)
        sys.exit(
            f"Atelier needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. Try PYTHON=python3.12"
        )
    make_venv()
    install(lock)
    if django:
        try_django(django)


def make_venv() -> None:
    if PYTHON.exists():
        return
    if not has("import ensurepip, venv"):
        package = f"python3.{sys.version_info.minor}-venv"
        apt_install([package], "to make a virtual environment")
    print("Making .venv", flush=True)
    run(sys.executable, "-m", "venv", VENV)


def install(lock: str) -> None:
    """Install the hashed lock with uv, which takes a quarter of pip's time, unless it is there already."""
    wanted = ROOT / "requirements" / f"{lock}.txt"
    installed = VENV / f"{lock}.lock"
    if installed.exists() and filecmp.cmp(wanted, installed, shallow=False):
        return
    print(f"Installing requirements/{lock}.txt", flush=True)
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", PYTHON, "--require-hashes", "-r", wanted)
    draw_pdf()
    if lock == "dev":  # whoever has the tools has what the site needs too
        shutil.copyfile(ROOT / "requirements" / "base.txt", VENV / "base.lock")
    shutil.copyfile(wanted, installed)


def try_django(version: str) -> None:
    """Put another Django in the place of the locked one, to see whether the tests pass; the next install takes it back."""
    print(f"Installing Django {version}", flush=True)
    for lock in ("base", "dev"):
        (VENV / f"{lock}.lock").unlink(missing_ok=True)
    run(VENV / "bin" / "uv", "pip", "install", "--quiet", "--python", PYTHON, f"django{version}")


def draw_pdf() -> None:
    """See to it that WeasyPrint finds Pango, and text a font."""
    if shutil.which("dpkg-query") and os.geteuid() == 0:
        missing = [package for package in PANGO if not is_installed(package)]
    else:
        missing = [] if has("import weasyprint", python=PYTHON) else PANGO
    if missing and may_install():
        apt_install(missing, "to draw PDF invoices")
    elif missing:
        print(f"No PDF invoices can be drawn until somebody runs: sudo {' '.join(apt_command(missing))}", flush=True)


def is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def apt_command(packages: list[str]) -> list[str]:
    return ["apt-get", "install", "--yes", "--no-install-recommends", *packages]


def may_install() -> bool:
    return bool(shutil.which("apt-get")) and os.geteuid() == 0


def apt_install(packages: list[str], purpose: str) -> None:
    """Install Debian packages when we are allowed to, else end with the command to type."""
    command = apt_command(packages)
    if not may_install():
        sys.exit(f"Packages are missing {purpose}. On Debian or Ubuntu:\n  sudo {' '.join(command)}")
    print(f"Installing {' '.join(packages)} {purpose}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = [*command, "--quiet", "--quiet"]
    if subprocess.run(quiet, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
        run("apt-get", "update", "--quiet", "--quiet")  # a fresh image has no package lists
        subprocess.run(quiet, env=environment, stdout=subprocess.DEVNULL, check=True)


def has(statement: str, python: str | Path = sys.executable) -> bool:
    """Return whether a Python can run a statement, such as an import."""
    return not subprocess.run([python, "-c", statement], capture_output=True, check=False).returncode


def run(*command: str | Path) -> None:
    if code := subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(f"{' '.join(map(str, command))} failed ({code})")


if __name__ == "__main__":
    main(*sys.argv[1:])
