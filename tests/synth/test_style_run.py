"""Runs with a style: the same bytes for any workers, slices and starts; the command; what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from style_pictures import crop, write_set
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import DatakitError, InputError, OutputError, UsageError
from datakit.files import read_manifest, sha256_file
from datakit_synth import Slice, SynthRequest, merge_parts, prepare, synthesize
from datakit_synth.redraw import redraw

Digest = Callable[[Path], dict[str, str]]
run = CliRunner()


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("real"), 30)


def request_of(font: Path, labels: Path, count: int = 215) -> SynthRequest:
    return SynthRequest(
        templates=("en",),
        count=count,
        fonts=(font,),
        backgrounds=("own", "paper"),
        presets=("clean", "scan"),
        style_from=labels,
    )


def test_same_bytes_for_workers_slices_and_a_second_start(
    latin_font: Path, labels: Path, tmp_path: Path, digest: Digest
) -> None:
    request = request_of(latin_font, labels)
    result = synthesize(request, tmp_path / "one", seed=3, keep_params=True)
    expected = digest(tmp_path / "one")
    assert set(result.account.counts["backgrounds"]) == {"own", "paper"}
    synthesize(request, tmp_path / "two", seed=3, keep_params=True, workers=2)
    assert digest(tmp_path / "two") == expected
    for k in range(2):
        synthesize(request, tmp_path / f"part{k}", seed=3, keep_params=True, part=Slice(k, 2))
    merge_parts([tmp_path / "part1", tmp_path / "part0"], tmp_path / "merged")
    assert digest(tmp_path / "merged") == expected
    (tmp_path / "two/shards/00001.json").unlink()
    assert synthesize(request, tmp_path / "two", seed=3, keep_params=True).skipped == 1
    assert digest(tmp_path / "two") == expected
    drawn = redraw(prepare(request, seed=3), 207, tmp_path / "again")
    assert drawn.read_bytes() == (tmp_path / "one/images/00001/000207.jpg").read_bytes()


def test_the_manifest_says_which_style_it_was(latin_font: Path, labels: Path, tmp_path: Path) -> None:
    request = request_of(latin_font, labels, 10)
    synthesize(request, tmp_path / "out", seed=3)
    manifest = read_manifest(tmp_path / "out")
    style = manifest.arguments["style"]
    profile = prepare(request, seed=3).job.style
    assert profile is not None
    assert style["sha256"] == profile.digest
    assert style["labels"] == str(labels)
    assert (style["lines"], style["sampled"], style["crops"]) == (30, 30, 30)
    assert len(style["values"]) == 30
    assert manifest.inputs[str(labels)] == sha256_file(labels)
    page = (tmp_path / "out/synth.html").read_text(encoding="utf-8")
    assert "Measured on 30 of 30 crops" in page
    assert str(labels) in page


def test_crops_that_changed_make_another_run(latin_font: Path, tmp_path: Path) -> None:
    labels = write_set(tmp_path / "real", 12)
    request = request_of(latin_font, labels, 10)
    synthesize(request, tmp_path / "out")
    assert synthesize(request, tmp_path / "out").skipped == 1
    cv2.imwrite(str(labels.parent / "3.jpg"), crop("3.30", height=50, noise=9.0))
    with pytest.raises(OutputError, match="another run"):
        synthesize(request, tmp_path / "out")


def test_the_command_takes_heights_and_qualities_of_the_crops(
    latin_font: Path, labels: Path, tmp_path: Path
) -> None:
    (labels.parent / "gone.txt").write_text(labels.read_text() + "gone.jpg\tGONE\n", encoding="utf-8")
    settings = tmp_path / "synth.yml"
    settings.write_text(f"style-from: {labels.parent / 'gone.txt'}\nstyle-data-dir: {labels.parent}\n")
    out = tmp_path / "out"
    arguments = ["synth", "--template", "en", "--count", "40", "--fonts", str(latin_font), "--out", str(out)]
    result = run.invoke(app, [*arguments, "-c", str(settings), "--keep-params"])
    assert result.exit_code == 0, result.output
    assert "set aside: style: 1 of 31 crops (1 missing)" in result.stderr
    params = [json.loads(line) for line in (out / "params.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["quality"] for line in params} == {80}
    assert {line["params"]["background"] for line in params} == {"own"}
    assert {line["params"]["preset"] for line in params} == {"clean"}
    heights = {line["params"]["geometry"]["height"] for line in params}
    assert heights <= set(range(24, 44))
    assert len(heights) > 5


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["--style-from", "gone.txt"], InputError, "gone.txt"),
        (["--style-from", "empty.txt"], InputError, "no crop can be measured for --style-from"),
        (["--style-data-dir", "."], UsageError, "needs their label file"),
        (["--style-from", "empty.txt", "--height", "48"], UsageError, "heights are those of the crops"),
        (["--background-kind", "own"], UsageError, "name them with --style-from"),
    ],
)
def test_wrong_use_is_one_sentence(
    latin_font: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    error: type[DatakitError],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.txt").write_text("gone.jpg\tA\n", encoding="utf-8")
    result = run.invoke(
        app, ["synth", "--chars", "A", "--fonts", str(latin_font), "--out", "out", *arguments]
    )
    assert isinstance(result.exception, error)
    assert words in str(result.exception)
    assert not Path("out").exists()
