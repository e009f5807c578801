"""A signal that arrives while something is being cleaned up ends the command as any other does."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

import pytest

from datakit.cli import main as cli


def test_a_stop_behind_an_error_of_cleaning_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_arguments: list[str]) -> NoReturn:
        try:
            raise cli.Stopped(signal.SIGINT)
        finally:
            # What shutil.rmtree does when it is interrupted while it closes a folder.
            raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(cli, "app", interrupted)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["datakit", "finetune"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert "stopped" in capsys.readouterr().err
