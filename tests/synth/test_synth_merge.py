"""Parts that several machines drew become the undivided run, or the message says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import InputError, OutputError, UsageError
from datakit.files import Manifest, read_manifest, write_manifest
from datakit_synth import Slice, SynthRequest, merge_parts, synthesize

Digest = Callable[[Path], dict[str, str]]


def request_of(font: Path) -> SynthRequest:
    return SynthRequest(
        templates=("en",), count=620, fonts=(font,), backgrounds=("plain",), presets=("clean",)
    )


@pytest.fixture(scope="module", params=["files", "lmdb"])
def parts(request: pytest.FixtureRequest, latin_font: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders ``whole``, and ``0``, ``1``, ``2`` with a third of the shards each."""
    if request.param == "lmdb":
        pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    base = tmp_path_factory.mktemp("parts")
    options = {"layout": request.param, "keep_params": True, "seed": 5}
    synthesize(request_of(latin_font), base / "whole", **options)
    for k in range(3):
        result = synthesize(request_of(latin_font), base / str(k), part=Slice(k, 3), **options)
        assert result.data is None
    return base


def test_parts_merged_are_the_undivided_run(parts: Path, tmp_path: Path, digest: Digest) -> None:
    merged = merge_parts([parts / "2", parts / "0", parts / "1"], tmp_path / "out")
    assert digest(merged.out) == digest(parts / "whole")
    assert (merged.account.lines, merged.shards) == (620, 4)
    assert merged.data.exists()
    manifest = read_manifest(merged.out)
    assert (manifest.state, manifest.counts["lines"]) == ("done", 620)
    again = merge_parts([parts / "0", parts / "1", parts / "2"], tmp_path / "out")
    assert digest(again.out) == digest(parts / "whole")


def test_a_merge_that_was_killed_goes_on(parts: Path, tmp_path: Path, digest: Digest) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError):
        merge_parts([parts / "0"], out)
    assert not out.exists()
    write_manifest(out, read_manifest(parts / "0"))
    (out / "images/00000.part").mkdir(parents=True)
    (out / "images/00000.part/000000.jpg").write_bytes(b"half")
    (out / ".datakit-1-2.tmp").write_bytes(b"half")
    merge_parts([parts / "0", parts / "1", parts / "2"], out)
    if read_manifest(out).arguments["format"] == "lmdb":
        (out / "images").rmdir()
    assert digest(out) == digest(parts / "whole")


def test_what_is_missing_is_named(parts: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"of 4 shards 2 are missing in .*/1, .*/2: 0, 3; .* k = i modulo n"):
        merge_parts([parts / "1", parts / "2"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parts_of_different_runs_are_refused(parts: Path, latin_font: Path, tmp_path: Path) -> None:
    layout = read_manifest(parts / "0").arguments["format"]
    synthesize(request_of(latin_font), tmp_path / "other", seed=6, part=Slice(0, 3), layout=layout)
    with pytest.raises(InputError, match=r"other: is part of another run than .*/0: seed 5 and 6"):
        merge_parts([parts / "0", tmp_path / "other"], tmp_path / "out")
    write_manifest(tmp_path / "mix", Manifest("mix"))
    with pytest.raises(InputError, match="mix: is a run of 'mix', not of synth"):
        merge_parts([tmp_path / "mix"], tmp_path / "out")
    with pytest.raises(InputError, match=r"manifest\.json: cannot be read"):
        merge_parts([tmp_path], tmp_path / "out")


def test_a_picture_damaged_on_the_way_is_named(latin_font: Path, tmp_path: Path) -> None:
    request = SynthRequest(texts=("Total", "Sum"), fonts=(latin_font,), presets=("clean",))
    synthesize(request, tmp_path / "part")
    picture = tmp_path / "part/images/00000/000001.jpg"
    data = bytearray(picture.read_bytes())
    data[-30] ^= 4
    picture.write_bytes(data)
    with pytest.raises(OutputError, match="images/00000: the pictures are damaged"):
        merge_parts([tmp_path / "part"], tmp_path / "out")


def test_the_command(latin_font: Path, tmp_path: Path, digest: Digest) -> None:
    request = SynthRequest(templates=("en",), count=250, fonts=(latin_font,), presets=("clean",))
    for k in range(2):
        synthesize(request, tmp_path / str(k), part=Slice(k, 2))
    run = CliRunner()
    arguments = ["synth-merge", str(tmp_path / "0"), str(tmp_path / "1")]
    refused = run.invoke(app, arguments)
    assert isinstance(refused.exception, UsageError)
    done = run.invoke(app, [*arguments, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith(f"MB: {tmp_path}/out/labels.txt\n")
    assert (tmp_path / "out/labels.txt").read_bytes().count(b"\n") == 250
    # Parts in one folder already: joined where they are.
    before = digest(tmp_path / "out")
    (tmp_path / "out/labels.txt").unlink()
    assert run.invoke(app, ["synth-merge", str(tmp_path / "out"), "--json"]).exit_code == 0
    assert digest(tmp_path / "out") == before
