"""What the loop shows while it runs: a table that stays in view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from typing import Protocol, TextIO

from datakit.loop.folders import Say
from datakit.loop.summary import LoopResult
from datakit.loop.table import change_line, table_lines

__all__ = ["LiveScreen", "PlainScreen", "Say", "Screen"]


class Screen(Protocol):
    """What the loop tells."""

    def say(self, line: str) -> None:
        """A sentence."""

    def begin(self, number: int, step: str) -> None:
        """A step of a round begins."""

    def table(self, result: LoopResult) -> None:
        """The rounds so far, a new one at their end."""


class PlainScreen:
    """Every row of the table as a sentence."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self._rows = 0

    def begin(self, number: int, step: str) -> None:
        """Nothing: every step speaks for itself."""

    def table(self, result: LoopResult) -> None:
        """The last row, if it is new."""
        if len(result.rounds) > self._rows:
            self._rows = len(result.rounds)
            self.say(change_line(result))


class LiveScreen:
    """Lines scroll above a table that is drawn anew below them; a bar on stderr is its last line.

    Used as a context manager it takes the place of ``sys.stderr``, so that other parts' bars land there too.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._table: Sequence[str] = ()
        self._step = ""
        self._bar = ""
        self._drawn = 0
        self.encoding = stream.encoding

    @contextlib.contextmanager
    def shown(self) -> Iterator[LiveScreen]:
        """Show until the block ends; the table stays on the screen."""
        with contextlib.redirect_stderr(self):
            try:
                yield self
            finally:
                self._step = self._bar = ""
                self._draw()
                self._stream.flush()

    def say(self, line: str) -> None:
        """A line above the table."""
        self._draw([line])

    def begin(self, number: int, step: str) -> None:
        """Name the step below the table."""
        self._step, self._bar = f"round {number}: {step}", ""
        self._draw()

    def table(self, result: LoopResult) -> None:
        """Another table."""
        self._table = list(table_lines(result))
        self._draw()

    def write(self, text: str) -> int:
        """As a stream: whole lines scroll, an unfinished one is the bar."""
        *whole, rest = text.split("\n")
        for part in whole:
            line, self._bar = self._over(part), ""
            if line.strip():
                self._draw([line.rstrip()])
        if rest:
            self._bar = self._over(rest)
        self._draw()
        return len(text)

    def flush(self) -> None:
        """As a stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """As a stream: it is one, or it would not be used."""
        return True

    def _over(self, part: str) -> str:
        """What stands on the bar's line after ``part``: a carriage return begins it anew."""
        before, returned, after = part.rpartition("\r")
        return after if returned else self._bar + before + after

    def _draw(self, above: Sequence[str] = ()) -> None:
        """Take the table away, write the lines ``above``, and draw it again."""
        columns = shutil.get_terminal_size().columns - 1
        below = [*self._table, *([self._step] if self._step else []), *([self._bar] if self._bar else [])]
        up = f"\x1b[{self._drawn}F" if self._drawn else ""
        text = "".join(f"{line}\n" for line in above) + "".join(f"{line[:columns]}\n" for line in below)
        self._stream.write(f"{up}\x1b[J{text}")
        self._stream.flush()
        self._drawn = len(below)
