"""A signal that arrives while something is being cleaned up ends the command as any other does."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

import pytest

from datakit.cli import main as cli
from datakit.errors import OutputError


def _close() -> NoReturn:
    # What shutil.rmtree does when it is interrupted while it closes a folder.
    raise OSError(9, "Bad file descriptor")


def _close_and_name() -> NoReturn:
    try:
        _close()
    except OSError as error:
        raise OutputError("out: cannot be removed") from error


@pytest.mark.parametrize("clean_up", [_close, _close_and_name])
def test_a_stop_behind_an_error_of_cleaning_up(
    clean_up: Callable[[], NoReturn], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_arguments: list[str]) -> NoReturn:
        try:
            raise cli.Stopped(signal.SIGINT)
        finally:
            clean_up()

    monkeypatch.setattr(cli, "app", interrupted)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["datakit", "finetune"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert "stopped" in capsys.readouterr().err
