"""
docs/known-defects.md and the tests that cite its numbers agree, and the tests fail on the defects.

Not of every defect can that be shown by changing a line: some are a library, a service that dies, a race. Those of which
DEFECTS has a line are put back into a copy of the project, and there the cited test must fail.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from django.db import connection

from tests.copies import ROOT, Copy

LIST = re.findall(r"^\| D(\d+) \| [^|]+ \| (`[^|]+`) \|$", (ROOT / "docs/known-defects.md").read_text(), re.MULTILINE)
# "def test_…():  # D19"
CITED = re.compile(r"^ *def (test_\w+)\(.*#(.*\bD\d+.*)$", re.MULTILINE)


class Defect(NamedTuple):
    number: int
    file: str
    good: str
    bad: str
    test: str


DEFECTS = [
    Defect(
        5,
        "account/backends.py",
        "return member if self.user_can_authenticate(member) else None",
        "return member",
        "test_deactivated_member_is_out_at_the_next_request",
    ),
    Defect(
        9, "config/settings.py", "AUTH_PASSWORD_VALIDATORS = [", "NO_VALIDATORS = [", "test_weak_passwords_are_refused"
    ),
    Defect(
        11,
        "account/names.py",
        "if username.lower() in RESERVED:",
        "if False:",
        "test_names_that_shadow_something_are_refused",
    ),
    Defect(
        25,
        "content/fetch.py",
        "    return not any(address in network for network",
        "    return True or not any(address in network for network",
        "test_address_that_leads_inside_is_refused_without_a_connection",
    ),
    Defect(31, "images/models.py", ' or "image"', ' or ""', "test_titles_without_letters_break_no_address"),
    Defect(
        42,
        "content/tohtml.py",
        "html = clean(writer.convert(source))",
        "html = writer.convert(source)",
        "test_hostile_body_is_stored_clean_and_so_shown_in_list_page_and_feed",
    ),
    Defect(
        46,
        "blog/models/posts.py",
        ', (f"{of}publish_at__lte", now or timezone.now())',
        "",
        "test_draft_and_future_posts_are_404_everywhere",
    ),
    Defect(
        48,
        "blog/sharing.py",
        "return all(hit(scope, who, rate) for scope, who, rate in limits)",
        "return bool(limits)",
        "test_fifty_anonymous_mails_do_not_leave",
    ),
    Defect(50, "blog/forms.py", "max_length=MAX_LENGTH,", "max_length=None,", "test_two_megabytes_are_refused"),
    Defect(52, "blog/documents.py", "text.plain(post.body_html)", '""', "test_finds_words_of_body_and_tags"),
    Defect(
        60,
        "payment/fulfil.py",
        "if not _is_news(session):",
        "if False:",
        "test_second_fulfil_changes_nothing",
    ),
    Defect(
        61,
        "payment/fulfil.py",
        "(to_stripe(order.total, order.currency), session.amount)",
        "(session.amount, session.amount)",
        "test_one_cent_for_a_dear_order_is_flagged_not_paid",
    ),
    Defect(
        65,
        "orders/checkout.py",
        "placed = Order.objects.filter(checkout_key=key).first()",
        "placed = None",
        "test_form_posted_twice_is_one_order",
    ),
    Defect(
        68,
        "cart/views.py",
        "get_object_or_404(Product.objects.on_show(), pk=product_id)",
        "get_object_or_404(Product, pk=product_id)",
        "test_unavailable_or_unknown_product_is_404",
    ),
    Defect(
        71,
        "cart/models.py",
        "Q(valid_from__lte=now), Q(valid_to__isnull=True) | Q(valid_to__gt=now), is_active=True",
        "Q(valid_from__lte=now)",
        "test_coupon_that_ended_falls_off_and_says_so_once",
    ),
    Defect(74, "cart/models.py", "code.strip().upper()", "code.strip()", "test_letter_case_and_spaces_do_not_matter"),
    Defect(
        77,
        "payment/views.py",
        "if not _is_theirs(request, order):",
        "if False:",
        "test_stranger_with_the_session_id_gets_404",
    ),
    Defect(
        81,
        "orders/staff.py",
        'permission_required("orders.view_order", raise_exception=True)(view)',
        "view",
        "test_staff_without_the_permission_get_403",
    ),
    Defect(
        82,
        "core/staff/spreadsheets.py",
        """return f"'{value}" if""",
        "return value if",
        "test_name_that_is_a_formula_is_text",
    ),
    Defect(
        83,
        "cart/cart.py",
        "if settings.SESSION_COOKIE_NAME in request.COOKIES or request.session.accessed:",
        "if request.session.setdefault(SESSION_KEY, {}) is not None:",
        "test_visitors_get_no_session_until_something_is_added",
    ),
]


def listed() -> set[tuple[int, str]]:
    return {(int(number), test) for number, tests in LIST for test in re.findall(r"`([^`]+)`", tests)}


def cited() -> set[tuple[int, str]]:
    return {
        (int(number), f"{path.relative_to(ROOT)}::{test}")
        for path in files_of_tests()
        for test, numbers in CITED.findall(path.read_text())
        for number in re.findall(r"\bD(\d+)\b", numbers)
    }


def files_of_tests() -> list[Path]:
    return [path for path in ROOT.glob("*/**/test_*.py") if path.relative_to(ROOT).parts[0] not in ("var", ".venv")]


def test_the_list_and_the_tests_name_each_other():
    assert [int(number) for number, _ in LIST] == list(range(1, len(LIST) + 1))
    assert sorted(listed() - cited()) == [], "the document names tests that do not cite the number"
    assert sorted(cited() - listed()) == [], "the document does not name these tests"


def test_pytest_collects_every_test_that_is_named():
    files = sorted({test.partition("::")[0] for _, test in listed()})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", "--color=no"]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=True)
    collected = {re.sub(r"::\w+(?=::)|\[.*", "", line) for line in done.stdout.splitlines()}

    assert sorted({test for _, test in listed()} - collected) == []


def address_of(defect: Defect) -> str:
    """Return where pytest finds the test: in its class, if it has one."""
    found = [test for number, test in cited() if number == defect.number and test.endswith(f"::{defect.test}")]
    assert len(found) == 1, f"D{defect.number} is not cited by {defect.test}"
    file, _, name = found[0].partition("::")
    before = (ROOT / file).read_text().partition(f"def {name}(")[0]
    classes = re.findall(r"^class (\w+)", before, re.MULTILINE) if before.endswith("    ") else []
    return "::".join([file, *classes[-1:], name])


def batches() -> list[list[Defect]]:
    """Part the defects so that of each app there is one at a time: what then fails is that one's test and no other."""
    parted: list[list[Defect]] = []
    for defect in DEFECTS:
        app = Path(defect.file).parts[0]
        free = [batch for batch in parted if app not in {Path(each.file).parts[0] for each in batch}]
        if free:
            free[0].append(defect)
        else:
            parted.append([defect])
    return parted


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a copy has a database of its own")
def test_a_test_fails_on_its_defect_and_on_no_other(tmp_path):
    copy = Copy(tmp_path)
    tests = {address_of(defect): defect.number for defect in DEFECTS}

    def failing() -> list[int]:
        done = copy.test("--reuse-db", *tests)
        failed = re.findall(r"^(?:SUB)?FAILED.* ([\w/]+\.py::[\w:]+)", done.stdout, re.MULTILINE)
        assert set(failed) <= tests.keys() and " error" not in done.stdout.splitlines()[-1], done.stdout
        return sorted({tests[test] for test in failed})

    assert failing() == []
    for batch in batches():
        for defect in batch:
            copy.change(defect.file, defect.good, defect.bad)
        assert failing() == [defect.number for defect in batch]  # DEFECTS stand in the order of their numbers
        for defect in batch:
            copy.restore(defect.file)
