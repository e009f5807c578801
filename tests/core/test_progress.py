"""Progress: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import io

import pytest

from datakit import progress
from datakit.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setenv("COLUMNS", "200")
    return now


def test_plain_lines_every_five_seconds_and_one_at_the_end(clock: list[float]) -> None:
    stream = io.StringIO()
    with Progress(40, "audit", stream=stream) as bar:
        for _ in range(40):
            clock[0] += 0.3
            bar.advance()

    assert stream.getvalue().split("\n") == [
        "audit  17/40 (42%)  3.33/s  0:07 left",
        "audit  34/40 (85%)  3.33/s  0:02 left",
        "audit  40/40 (100%)  3.33/s",
        "",
    ]


def test_a_bar_is_drawn_over(clock: list[float]) -> None:
    stream = Terminal()
    with Progress(4, "synth", stream=stream) as bar:
        clock[0] += 1
        bar.advance(2, "a long note")
        clock[0] += 1
        bar.advance(2, "x")

    frames = stream.getvalue().split("\r")
    assert "\n" not in stream.getvalue()[:-1]
    assert frames[2] == "synth  [############............]  2/4 (50%)  2.00/s  0:01 left  a long note"
    assert frames[3].rstrip() == "synth  [########################]  4/4 (100%)  2.00/s  x"
    assert len(frames[3]) == len(frames[2])


def test_a_bar_fits_the_terminal(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    with Progress(4, "synth", stream=stream):
        pass

    assert [len(frame.rstrip("\n")) for frame in stream.getvalue().split("\r")] == [0, 29, 29]


def test_quiet_when_disabled_and_unknown_totals(clock: list[float]) -> None:
    stream = io.StringIO()
    with Progress(4, "synth", stream=stream, enabled=False) as bar:
        clock[0] += 60
        bar.advance(4)
    assert (stream.getvalue(), bar.done) == ("", 4)

    with Progress(0, "reading", stream=stream) as bar:
        clock[0] += 7000
        bar.advance(1_400_000)
    assert stream.getvalue().split("\n")[0] == "reading  1,400,000  200/s"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (7384, "2:03:04")])
def test_clock(seconds: float, text: str) -> None:
    assert progress._clock(seconds) == text
