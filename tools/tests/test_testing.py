"""What `make test` makes of its parts."""

from pathlib import Path

from tools.testing import KINDS, counted, told

REPORT = """<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10"/></testsuites>"""


def test_outcomes_are_read_from_a_part_s_report(tmp_path: Path) -> None:
    report = tmp_path / "sqlite.xml"
    report.write_text(REPORT)

    assert told(counted(report)) == "4 passed, 2 failed, 1 errors, 3 skipped"


def test_a_part_that_ended_without_a_report_is_an_error(tmp_path: Path) -> None:
    assert told(counted(tmp_path / "none.xml")) == "1 errors"


def test_parts_that_run_side_by_side_empty_no_redis_database_of_each_other() -> None:
    used = [
        range(kind.redis, kind.redis + max(kind.beside, kind.alone))
        for kind in KINDS.values()
        if kind.redis is not None
    ]

    assert len({number for numbers in used for number in numbers}) == sum(map(len, used))
    assert max(map(max, used)) < 15  # of Redis's sixteen, the first is left alone
