"""
A process for what a stranger's bytes may make endless or huge, ended by the kernel when it passes its limits.

A thread cannot be stopped, nor its memory bounded. The child is started when first needed, answers one question after
the other, and leaves when it has had nothing to do for a minute. It is given a script with a function
`work(question: bytes) -> bytes`, and of our environment, which holds the site's secrets, only where libraries lie.
This file is both sides: imported here, and run as a program without Django.
"""

import atexit
import contextlib
import importlib.util
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import IO

WALL_SECONDS = 60.0  # the last resort, on a machine that has no time for its processes
IDLE_SECONDS = 60.0
MAX_ANSWER = 100_000_000  # bytes
TOLD = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
LENGTH = 8  # bytes before each question and answer that say how long it is


class Ended(Exception):
    """The child passed a limit, or fell over what it was given."""


class Child:
    """One process; one question at a time, and another process after it was ended or has left."""

    def __init__(self, script: str, *, cpu_seconds: float, memory_bytes: int) -> None:
        self._command = [sys.executable, "-IB", __file__, script, str(cpu_seconds), str(memory_bytes)]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        _children.add(self)

    def ask(self, question: bytes) -> bytes:
        with self._lock:
            for _attempt in range(2):  # the second when the first child left for having been idle
                process = self._running()
                answer = _exchange(process, question)
                if answer is not None:
                    return answer
                self._close()
                if process.returncode not in (0, -signal.SIGTERM):
                    break
            raise Ended(f"status {process.returncode}")

    def close(self) -> None:
        with self._lock:
            self._close()

    def forget(self) -> None:
        """In a forked process: two askers on one pipe would get each other's answers."""
        self._process, self._lock = None, threading.Lock()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._close()
            told = {name: os.environ[name] for name in TOLD if name in os.environ}
            self._process = subprocess.Popen(self._command, env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        return self._process

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]
        try:
            process.wait(timeout=WALL_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _exchange(process: "subprocess.Popen[bytes]", question: bytes) -> bytes | None:
    """Return the answer, or None when the process has gone before it was all there."""
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    watchdog = threading.Timer(WALL_SECONDS, process.kill)
    watchdog.start()
    try:
        _send(process.stdin, question)
        return _receive(process.stdout)
    except BrokenPipeError:
        return None
    finally:
        watchdog.cancel()


def _send(pipe: IO[bytes], content: bytes) -> None:
    pipe.write(len(content).to_bytes(LENGTH))
    pipe.write(content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    length = pipe.read(LENGTH)
    size = int.from_bytes(length)
    if len(length) < LENGTH or size > MAX_ANSWER:
        return None
    content = pipe.read(size)
    return content if len(content) == size else None


_children: "weakref.WeakSet[Child]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for child in _children:
        child.close()


def _forget_all() -> None:
    for child in _children:
        child.forget()


os.register_at_fork(after_in_child=_forget_all)


# --- The child's side ----------------------------------------------------------------------------------------------


def serve(script: str, cpu_seconds: float, memory_bytes: int) -> None:
    for what, most in (("AS", memory_bytes), ("CORE", 0), ("FSIZE", 0)):
        resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (most, most))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent; we leave when its pipe closes
    work = _loaded(script).work
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while select.select([questions], [], [], IDLE_SECONDS)[0] and (question := _receive(questions)) is not None:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)  # unhandled, SIGPROF ends the process
        answer = work(question)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answers, answer)


def _loaded(script: str):  # type: ignore[no-untyped-def]
    """Load the file by its path: its folder, where files are named like the libraries they use, is not looked into."""
    spec = importlib.util.spec_from_file_location(f"child_{Path(script).stem}", script)
    assert spec and spec.loader  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    serve(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
