"""What a child may do: its limits end it, its crash ends nothing else, and it knows no secret of ours."""

import os
import resource
import textwrap
import threading

import pytest

from content.child import Child, Ended
from core.tests.waiting import wait_until

SCRIPT = """
    import os, resource, signal

    def work(question):
        if question == b"fall":
            os.kill(os.getpid(), signal.SIGSEGV)
        if question == b"spin":
            while True:
                pass
        if question == b"grow":
            return bytes(600_000_000)
        if question == b"write":
            with open(WHERE, "w") as file:
                file.write("x")
        if question == b"environment":
            return repr(dict(os.environ)).encode()
        return question[::-1]
"""


@pytest.fixture
def child(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"WHERE = {str(tmp_path / 'written')!r}\n" + textwrap.dedent(SCRIPT))
    child = Child(str(script), cpu_seconds=0.5, memory_bytes=500_000_000)
    yield child
    child.close()


def test_it_answers_one_question_after_the_other_whatever_they_hold(child):
    for question in (b"abc", b"", b"\n\0", os.urandom(300_000)):
        assert child.ask(question) == question[::-1]


@pytest.mark.parametrize("harm", [b"fall", b"spin", b"grow", b"write"])
def test_harm_ends_the_child_and_the_next_question_is_answered(child, harm, tmp_path):
    with pytest.raises(Ended):
        child.ask(harm)

    assert child.ask(b"abc") == b"cba"
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_text()


def test_one_that_left_is_replaced(child):
    child.ask(b"abc")
    child._process.terminate()
    wait_until(lambda: child._process.poll() is not None)

    assert child.ask(b"abc") == b"cba"


def test_it_is_not_told_what_our_environment_holds(child, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "s3cret")

    assert b"PATH" in child.ask(b"environment")
    assert b"s3cret" not in child.ask(b"environment")


def test_many_who_ask_at_once_each_get_their_own_answer(child):
    answers = {}

    def ask(number):
        answers[number] = child.ask(b"%d" % number)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(10, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: str(number)[::-1].encode() for number in range(10, 30)}


def test_an_answer_beyond_all_measure_is_not_taken_in(child, tmp_path):
    (tmp_path / "script.py").write_text("def work(question):\n    return bytes(100_000_001)\n")

    with pytest.raises(Ended):
        child.ask(b"abc")


def test_limits_are_the_childs_and_not_ours(child):
    child.ask(b"abc")

    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0
