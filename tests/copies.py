"""A copy of the project, to be changed by a test that wants to see what then happens."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.BASE_DIR
BIN = Path(sys.executable).parent
LEFT_OUT = (".git", ".venv", ".env", "var", "img", "*_cache", ".hypothesis", "mutants")
FROM_HERE = ("PATH", "HOME", "LANG", "TMPDIR")


class Copy:
    """The project in a folder of its own, on an SQLite database of its own, whatever this test runs on."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "copy"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(*LEFT_OUT))
        (self.root / ".venv").symlink_to(BIN.parent)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the virtual environment in the copy; its output, errors included, is `stdout`."""
        program = [str(BIN / command[0]), *command[1:]]
        ours = {name: os.environ[name] for name in FROM_HERE if name in os.environ}
        together = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        ours |= {"DEBUG": "true", "TEST_VAR_DIR": str(self.root / "var")}
        return subprocess.run(program, cwd=self.root, env=ours, check=False, **together)

    def test(self, *tests: str) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-m", "pytest", "-q", "-n0", "--tb=short", *tests)

    def change(self, file: str, old: str, new: str) -> None:
        """Write `new` for `old`, which must stand in the file once."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} has {text.count(old)} times: {old}"
        path.write_text(text.replace(old, new))

    def restore(self, file: str) -> None:
        """Have the file as it is here; a new moment of change, or Python would take what it compiled of the other."""
        shutil.copy(ROOT / file, self.root / file)
