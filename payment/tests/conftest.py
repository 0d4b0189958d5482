from typing import Any

import pytest

from core.jobs import background


@pytest.fixture(autouse=True)
def inline_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run our own background work at the commit; PDFs and mails stay rows, which is all these tests look at."""

    def run(task: Any, args: tuple[Any, ...]) -> None:
        if task.name.startswith("payment."):
            task(*args)

    monkeypatch.setattr(background, "start", run)
