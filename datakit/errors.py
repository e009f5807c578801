"""The one family of errors.

Raised low, with file, line and value, and caught once, in :mod:`datakit.cli.main`. ``exit_code`` is what
the process ends with when nobody catches the error before.
"""

from __future__ import annotations

from pathlib import Path


class DatakitError(Exception):
    """Anything that datakit can explain in one sentence."""

    exit_code = 2


class UsageError(DatakitError):
    """An option, a combination of options or a configuration key that makes no sense."""


class InputError(DatakitError):
    """An input that is missing, empty or cannot be read; says which file, and which line if one is known."""

    def __init__(self, message: str, *, file: str | Path | None = None, line: int | None = None) -> None:
        where = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        super().__init__(where + message)
        self.file = None if file is None else str(file)
        self.line = line


class OutputError(DatakitError):
    """A result that could not be written: disk full, no permission, a folder that holds something else."""


class LockedError(DatakitError):
    """Another living process works on the same output folder."""


class WorkerError(DatakitError):
    """A worker process died or hung; names the shard it was working on."""

    exit_code = 1


class TooManyBadError(DatakitError):
    """More broken samples than ``--max-bad`` allows."""

    exit_code = 1


class MissingExtraError(DatakitError):
    """An optional dependency is not installed; the message holds the pip line that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed. Install it with: pip install 'ocr-datakit[{extra}]'")
        self.extra = extra
