"""Font files are examined in a child process: a file that crashes, hangs or eats memory ends that, not us.

One child looks at all files in turn; when it dies the file in its hands is named, and another child takes the
rest.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from datakit.errors import WorkerError

# A start may wait for imports on a busy machine, a font for its CPU time.
START_SECONDS = 120.0
FONT_SECONDS = 120.0
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from datakit_fonts.examine import serve; serve()"
# Ends that the file itself brought about, so that it would do so again.
_ITS_FAULT = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGXCPU}


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of ``path``: ``document`` as :func:`datakit_fonts.examine.examine` gives it.

    ``lasting``: the same file would end the same way again.
    """

    path: str
    document: dict[str, Any]
    lasting: bool = True


def examine_all(paths: Sequence[str]) -> Iterator[Examined]:
    """Examine font files, in order.

    Raises:
        WorkerError: no child can be started.
    """
    waiting = deque(paths)
    while waiting:
        child = _Child()
        try:
            while waiting:
                examined = child.examine(waiting[0])
                waiting.popleft()
                yield examined
                if child.dead:
                    break
        finally:
            child.end()


class _Child:
    """The process, and what it has said so far."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", _PROGRAM, *sys.path]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._heard = b""
        self.dead = False
        if self._line(START_SECONDS) != b"ready":
            self.end()
            raise WorkerError(f"the process that examines fonts did not start ({self._how_it_ended()})")

    def examine(self, path: str) -> Examined:
        """The verdict on ``path``; the child is ``dead`` after a file that ended it."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(path).encode() + b"\n")
            stdin.flush()
            line = self._line(FONT_SECONDS)
        except BrokenPipeError:
            line = b""
        if line:
            return Examined(path, json.loads(line))
        self.dead = True
        hung = self._process.poll() is None and not self._closed
        self.end()
        reason = (
            f"kept the process that examined it busy for {FONT_SECONDS:g} s"
            if hung
            else f"ended the process that examined it ({self._how_it_ended()})"
        )
        code = self._process.returncode or 0
        lasting = code < 0 and not hung and -code in _ITS_FAULT
        return Examined(path, {"reason": reason, "faces": []}, lasting)

    def _line(self, seconds: float) -> bytes:
        """The next line without its end; empty when the child has ended or said nothing for so long."""
        stdout = self._process.stdout
        assert stdout is not None
        deadline = time.monotonic() + seconds
        self._closed = False
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._heard:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return b""
                data = stdout.read1(1 << 16)  # type: ignore[attr-defined]
                if not data:
                    self._closed = True
                    self._process.wait()
                    return b""
                self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        if code is not None and code < 0:
            return signal.Signals(-code).name
        return f"exit code {code}"

    def end(self) -> None:
        """End the child, however busy it is."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
