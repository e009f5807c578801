"""One bar on a terminal; elsewhere one plain line every few seconds."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TextIO

BAR_WIDTH = 24
BAR_SECONDS = 0.1
LINE_SECONDS = 5.0


class Progress:
    """Context manager that shows how far ``label`` has come; ``total`` 0 means unknown.

    A terminal gets one line that is drawn over, anything else a plain line every :data:`LINE_SECONDS` and one
    at the end. Nothing is written when not ``enabled``. ``stream`` is stderr: data goes to stdout.
    """

    def __init__(self, total: int, label: str, *, stream: TextIO | None = None, enabled: bool = True) -> None:
        self.total = total
        self.label = label
        self.done = 0
        self._stream = sys.stderr if stream is None else stream
        self._enabled = enabled
        self._bar = enabled and self._stream.isatty()
        self._begun = time.monotonic()
        self._shown = self._begun
        self._note = ""
        self._length = 0

    def __enter__(self) -> Progress:
        self._begun = self._shown = time.monotonic()
        if self._bar:
            self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if not self._enabled:
            return
        self._show()
        if self._bar:
            self._write("\n")

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count ``n`` more; ``note`` stands after the figures until the next one."""
        self.done += n
        self._note = note or self._note
        now = time.monotonic()
        if self._enabled and now - self._shown >= (BAR_SECONDS if self._bar else LINE_SECONDS):
            self._shown = now
            self._show()

    def _show(self) -> None:
        line = self._line(time.monotonic() - self._begun)
        if not self._bar:
            self._write(line + "\n")
            return
        line = line[: shutil.get_terminal_size().columns - 1]
        # What is left of a longer line before is overwritten.
        self._write("\r" + line.ljust(self._length))
        self._length = len(line)

    def _line(self, seconds: float) -> str:
        rate = self.done / seconds if seconds > 0 else 0.0
        parts = [self.label, f"{self.done:,}", f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2f}/s"]
        if self.total:
            share = min(1.0, self.done / self.total)
            parts[1] = f"{self.done:,}/{self.total:,} ({share:.0%})"
            left = _clock((self.total - self.done) / rate) if rate and self.done < self.total else ""
            parts += [f"{left} left"] if left else []
            if self._bar:
                filled = round(share * BAR_WIDTH)
                parts.insert(1, "[" + "#" * filled + "." * (BAR_WIDTH - filled) + "]")
        return "  ".join([*parts, self._note] if self._note else parts)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
