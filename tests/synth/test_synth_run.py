"""A run: same bytes for any workers and slices, after a kill, and only ever in its own folder."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from datakit.errors import LockedError, OutputError, UsageError
from datakit.files import FolderLock, read_manifest
from datakit.images import probe
from datakit.labels import read_rec
from datakit_synth import Slice, SynthRequest, synthesize, targets_from_chars

Digest = Callable[[Path], dict[str, str]]


def request_of(font: Path, per_char: int = 30) -> SynthRequest:
    return SynthRequest(
        targets=targets_from_chars("Qz7$", per_char),
        templates=("sum-en", "code-en"),
        count=170,
        fonts=(font,),
    )


def test_the_label_file_holds_what_was_planned(latin_font: Path, tmp_path: Path) -> None:
    result = synthesize(request_of(latin_font), tmp_path / "out")
    assert result.labels == tmp_path / "out" / "labels.txt"
    lines, faults = read_rec(result.labels)
    assert faults == []
    assert [line.text for line in lines] == [line.text for line in result.plan.lines]
    assert len(lines) == result.lines == 170
    holding = Counter(char for line in lines for char in set(line.text))
    assert {entry.char: entry.planned for entry in result.plan.characters} == {
        char: holding[char] for char in "Qz7$"
    }
    for line in lines[::20]:
        info = probe(tmp_path / "out" / line.image)
        assert info.format == "JPEG"
        assert 32 <= info.height <= 64
    manifest = read_manifest(tmp_path / "out")
    assert manifest.state == "done"
    assert manifest.counts["lines"] == 170
    assert [font["licence"] for font in manifest.arguments["fonts"]] == ["OFL-1.1"]
    assert (tmp_path / "out" / "contact.png").is_file()


def test_same_bytes_for_workers_and_slices(latin_font: Path, tmp_path: Path, digest: Digest) -> None:
    request = SynthRequest(templates=("en",), count=700, fonts=(latin_font,), backgrounds=("paper", "field"))
    synthesize(request, tmp_path / "one", seed=3)
    expected = digest(tmp_path / "one")
    # 700 pictures; label files and markers of 4 shards; labels.txt, contact.png and synth.html.
    assert len(expected) == 700 + 2 * 4 + 3
    for workers in (2, 8):
        synthesize(request, tmp_path / f"with{workers}", seed=3, workers=workers)
        assert digest(tmp_path / f"with{workers}") == expected
    for k in (2, 0, 1, 3):
        synthesize(request, tmp_path / "slices", seed=3, part=Slice(k, 4))
    assert digest(tmp_path / "slices") == expected


def test_three_kills(latin_font: Path, tmp_path: Path) -> None:
    """A short run of benchmarks/kill_synth.py, which does 50 kills of 20,000 lines."""
    path = Path(__file__).parents[2] / "benchmarks/kill_synth.py"
    spec = importlib.util.spec_from_file_location("kill_synth", path)
    assert spec is not None
    assert spec.loader is not None
    kill_synth = importlib.util.module_from_spec(spec)
    sys.modules["kill_synth"] = kill_synth
    spec.loader.exec_module(kill_synth)
    setting = kill_synth.Setting(tmp_path, str(latin_font), 1200, 2, "files")
    tally = kill_synth.kill_runs(setting, 3, Random(2), share=1.0)
    assert tally.kills == 3
    assert (tally.different, tally.leftovers, tally.changed_shards) == ([], 0, 0)
    assert tally.most_done_twice <= 2


def test_a_damaged_shard_is_drawn_again(latin_font: Path, tmp_path: Path, digest: Digest) -> None:
    request, out = request_of(latin_font), tmp_path / "out"
    synthesize(request, out)
    before = digest(out)
    (out / "images" / "00000" / "000007.jpg").write_bytes(b"")
    result = synthesize(request, out)
    assert result.skipped == 0
    assert digest(out) == before
    assert synthesize(request, out).skipped == 1


def test_a_missing_slice_leaves_no_label_file(latin_font: Path, tmp_path: Path) -> None:
    request = SynthRequest(templates=("en",), count=450, fonts=(latin_font,), presets=("clean",))
    result = synthesize(request, tmp_path / "out", part=Slice(1, 2))
    assert (result.labels, result.lines, result.shards, result.shards_missing) == (None, 200, 3, 2)
    assert not (tmp_path / "out" / "labels.txt").exists()
    assert read_manifest(tmp_path / "out").state == "running"
    with pytest.raises(UsageError, match="k from 0 to n - 1"):
        synthesize(request, tmp_path / "out", part=Slice(2, 2))


def test_a_folder_that_holds_something_else_is_refused(latin_font: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputError, match=r"holds other files \(mine\.txt\)"):
        synthesize(request_of(latin_font), out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_another_run_in_the_folder_is_refused(latin_font: Path, tmp_path: Path, digest: Digest) -> None:
    out = tmp_path / "out"
    synthesize(request_of(latin_font), out)
    before = digest(out)
    with pytest.raises(OutputError, match="holds another run"):
        synthesize(request_of(latin_font), out, seed=1)
    assert digest(out) == before


def test_two_runs_on_one_folder_are_refused(latin_font: Path, tmp_path: Path) -> None:
    with FolderLock(tmp_path / "out"), pytest.raises(LockedError, match=str(os.getpid())):
        synthesize(request_of(latin_font), tmp_path / "out")


def test_the_result_is_one_json_document(latin_font: Path, tmp_path: Path) -> None:
    document = json.loads(json.dumps(synthesize(request_of(latin_font), tmp_path / "out").to_dict()))
    assert document["totals"]["lines"] == 170
    assert document["plan"]["characters"][0]["char"] == "Q"
