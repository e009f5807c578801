"""Font files are examined in a child: what kills, hangs or starves it is named, and the rest goes on."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from datakit.errors import WorkerError
from datakit_fonts import CoverageIndex, find_fonts, sandbox, verdicts
from datakit_fonts.sandbox import Examined, examine_all

MakeFont = Callable[..., Path]

# A child that ends, or does not, at files with a certain name; everything else is as it is.
_STAND_IN = """
import os, sys, time
sys.path[:] = sys.argv[1:]
from datakit_fonts import examine
real = examine.examine
def look(path):
    if path.stem.startswith("kill"):
        os.kill(os.getpid(), int(path.stem[4:]))
    if path.stem == "exit":
        os._exit(7)
    if path.stem == "hang":
        time.sleep(600)
    if path.stem == "spin":
        while True:
            pass
    if path.stem == "eat":
        eaten = bytearray(examine.MEMORY_BYTES)
        return {"reason": f"ate {len(eaten)}", "faces": []}
    return real(path)
examine.examine = look
examine.CPU_SECONDS = 0
examine.serve()
"""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_PROGRAM", _STAND_IN)
    monkeypatch.setattr(sandbox, "FONT_SECONDS", 30.0)


@pytest.mark.usefixtures("stand_in")
def test_what_ends_the_child_is_named_and_the_rest_goes_on(make_font: MakeFont) -> None:
    names = [f"kill{int(signal.SIGSEGV)}", "good", "exit", "spin", "last"]
    paths = [str(make_font(name, "AB")) for name in names]
    found = list(examine_all(paths))
    assert [Path(entry.path).stem for entry in found] == names
    assert [entry.document["reason"] for entry in found] == [
        "ended the process that examined it (SIGSEGV)",
        "",
        "ended the process that examined it (exit code 7)",
        "ended the process that examined it (SIGXCPU)",
        "",
    ]
    assert [entry.lasting for entry in found] == [True, True, False, True, True]


@pytest.mark.usefixtures("stand_in")
def test_a_child_that_hangs_is_ended(make_font: MakeFont, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "FONT_SECONDS", 1.0)
    (found,) = examine_all([str(make_font("hang", "AB"))])
    assert found == Examined(
        found.path,
        {"reason": "kept the process that examined it busy for 1 s", "faces": []},
        lasting=False,
    )


def test_a_child_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_PROGRAM", "raise SystemExit(5)")
    with pytest.raises(WorkerError, match=r"did not start \(exit code 5\)"):
        list(examine_all(["/nonexistent.ttf"]))


@pytest.mark.usefixtures("stand_in")
def test_the_catalogue_names_a_crashing_font_and_remembers_it(
    make_font: MakeFont, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = make_font(f"kill{int(signal.SIGABRT)}", "AB"), make_font("good", "AC")
    catalogue = find_fonts([good.parent])
    assert [face.family for face in catalogue.faces] == ["good"]
    assert [(font.path, font.reason) for font in catalogue.broken] == [
        (str(bad), f"{bad}: ended the process that examined it (SIGABRT)")
    ]
    monkeypatch.setattr(verdicts, "_STORES", {})
    monkeypatch.setattr(sandbox, "_PROGRAM", "raise SystemExit(5)")
    assert find_fonts([good.parent]) == catalogue


def test_memory_is_limited(make_font: MakeFont, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_PROGRAM", _STAND_IN.replace("CPU_SECONDS = 0", "CPU_SECONDS = 30"))
    (found,) = examine_all([str(make_font("eat", "AB"))])
    assert found.document["reason"] == "ended the process that examined it (exit code 1)"


def test_a_flipped_byte_of_a_table_is_damage_however_it_draws(make_font: MakeFont) -> None:
    path = make_font("Blocks", "AB")
    data = bytearray(path.read_bytes())
    start = data.index(b"glyf")
    offset = int.from_bytes(data[start + 8 : start + 12], "big")
    data[offset + 20] ^= 1
    (path.parent / "flipped.ttf").write_bytes(data)
    catalogue = find_fonts([path.parent])
    assert [face.family for face in catalogue.faces] == ["Blocks"]
    assert "flipped.ttf: is damaged: table glyf does not match its checksum" in catalogue.broken[0].reason


def test_fifty_flipped_fonts(make_font: MakeFont) -> None:
    """A short run of benchmarks/flip_fonts.py, which takes 1,000; it raises where a font is not named."""
    path = Path(__file__).parents[2] / "benchmarks/flip_fonts.py"
    spec = importlib.util.spec_from_file_location("flip_fonts", path)
    assert spec is not None
    assert spec.loader is not None
    flip_fonts = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(flip_fonts)
    cache = os.environ["DATAKIT_CACHE"]
    sources = [make_font("Some", "Totalbcxyzu.1250ABCDQ 3456789"), make_font("More", "ABC")]
    try:
        ends = flip_fonts.run(sources, 50, seed=3, flips=4)
    finally:
        os.environ["DATAKIT_CACHE"] = cache
    assert sum(ends.values()) == 50
    assert ends["set aside: does not match its checksum"] >= 5


def test_a_second_look_starts_no_child(
    make_font: MakeFont, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_font("Blocks", "AB", empty="C", tofu="D").parent
    first = find_fonts([folder])
    monkeypatch.setattr(verdicts, "_STORES", {})
    monkeypatch.setattr(sandbox, "_PROGRAM", "raise SystemExit(5)")
    second = find_fonts([folder])
    assert second == first
    assert [CoverageIndex(second.faces).mask(char) for char in "ABCDE "] == [1, 1, 0, 0, 0, 1]
    assert len(list(cache.glob("*.font.json"))) == 1


@pytest.mark.parametrize("damage", ["cut", "flip", "version", "no json"])
def test_a_corrupt_cache_is_made_anew(
    make_font: MakeFont, cache: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    folder = make_font("Blocks", "AB").parent
    first = find_fonts([folder])
    (verdict,) = cache.glob("*.font.json")
    whole = verdict.read_bytes()
    document = json.loads(whole)
    changed = {
        "cut": whole[: len(whole) // 2],
        "flip": json.dumps({**document, "body": document["body"].replace("Blocks", "Clocks")}).encode(),
        "version": json.dumps({**document, "version": [0, [0, 0, 0]]}).encode(),
        "no json": b"\0\xff",
    }
    verdict.write_bytes(changed[damage])
    (cache / "index.json").write_bytes(changed[damage])
    monkeypatch.setattr(verdicts, "_STORES", {})
    assert find_fonts([folder]) == first
    assert verdict.read_bytes() == whole


def test_a_changed_font_is_looked_at_again(
    make_font: MakeFont, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_font("Blocks", "AB")
    (face,) = find_fonts([path]).faces
    assert CoverageIndex([face]).mask("C") == 0
    path.write_bytes(make_font("Other", "ABC").read_bytes())
    monkeypatch.setattr(verdicts, "_STORES", {})
    assert CoverageIndex([face]).mask("C") == 1
    find_fonts([path])
    # What no file needs any more is gone.
    assert len(list(cache.glob("*.font.json"))) == 1


def test_a_cache_that_cannot_be_written_costs_time_only(
    make_font: MakeFont, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "file"))
    (face,) = find_fonts([make_font("Blocks", "AB")]).faces
    assert CoverageIndex([face]).mask("A") == 1
