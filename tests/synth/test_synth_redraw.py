"""One picture alone, what a run will cost, the parameters that are kept, and the page that shows a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import OutputError, UsageError
from datakit_synth import SynthRequest, prepare, synthesize
from datakit_synth.account import Account
from datakit_synth.page import used_fonts, write_page
from datakit_synth.redraw import estimate, redraw

run = CliRunner()


def request_of(font: Path, count: int = 230) -> SynthRequest:
    return SynthRequest(templates=("en",), count=count, fonts=(font,), presets=("photo", "scan"))


def test_any_picture_is_drawn_again_by_its_index(latin_font: Path, tmp_path: Path) -> None:
    request = request_of(latin_font)
    result = synthesize(request, tmp_path / "out", seed=4, keep_params=True)
    kept = (tmp_path / "out/params.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(kept) == 230
    prepared = prepare(request, seed=4)
    for index in (0, 117, 229):
        path = redraw(prepared, index, tmp_path / "again")
        assert path.read_bytes() == (tmp_path / f"out/images/{index // 200:05d}/{index:06d}.jpg").read_bytes()
        assert path.with_suffix(".json").read_text(encoding="utf-8") == kept[index] + "\n"
        document = json.loads(kept[index])
        assert (document["index"], document["text"]) == (index, result.plan.lines[index].text)
        assert document["image"] == f"images/{index // 200:05d}/{index:06d}.jpg"
        assert {"font", "preset", "effects", "geometry"} <= document["params"].keys()
    with pytest.raises(UsageError, match="picture 230: the run has 230, from 0 to 229"):
        redraw(prepared, 230, tmp_path / "again")


def test_the_account_counts_what_the_parameters_say(latin_font: Path, tmp_path: Path) -> None:
    result = synthesize(request_of(latin_font), tmp_path / "out", keep_params=True)
    kept = [json.loads(line) for line in (tmp_path / "out/params.jsonl").read_bytes().splitlines()]
    for name in ("presets", "backgrounds", "looks"):
        listed = [entry["params"][name.removesuffix("s")] for entry in kept]
        assert result.account.counts[name] == {value: listed.count(value) for value in set(listed)}
        assert sum(result.account.counts[name].values()) == 230
    fonts = [
        {entry["params"]["font"], *(part[1] for part in entry["params"].get("parts", ()))} for entry in kept
    ]
    names = set().union(*fonts)
    assert result.account.counts["fonts"] == {name: sum(name in used for used in fonts) for name in names}
    assert result.account.redrawn == sum(bool(entry["params"]["redrawn"]) for entry in kept)
    assert set(result.account.counts["presets"]) == {"photo", "scan"}


def test_the_estimate_is_that_of_the_run(latin_font: Path, tmp_path: Path) -> None:
    request = request_of(latin_font, 50)
    cost = estimate(prepare(request, seed=2))
    # Every line is in the sample: the bytes are exact.
    assert (cost.lines, cost.sample) == (50, 50)
    assert cost.bytes == synthesize(request, tmp_path / "out", seed=2).bytes
    assert 0 < cost.seconds < 60
    larger = estimate(prepare(replace(request, count=1000), seed=2))
    assert (larger.lines, larger.sample) == (1000, 50)
    assert larger.bytes == pytest.approx(20 * cost.bytes, rel=0.5)


def test_the_commands(latin_font: Path, tmp_path: Path) -> None:
    base = ["synth", "--template", "en", "--count", "60", "--fonts", str(latin_font), "--seed", "3"]
    planned = run.invoke(
        app, [*base, "--out", str(tmp_path / "out"), "--dry-run", "--workers", "2", "--json"]
    )
    assert planned.exit_code == 0, planned.output
    document = json.loads(planned.stdout)
    assert (document["plan"]["lines"], document["estimate"]["sample"]) == (60, 50)
    assert document["estimate"]["bytes"] > 60 * 300
    assert document["estimate"]["seconds_with_workers"] <= document["estimate"]["seconds"]
    shown = run.invoke(app, [*base, "--out", str(tmp_path / "out"), "--dry-run"])
    assert "lines drawn in memory" in shown.stdout
    assert not (tmp_path / "out").exists()
    drawn = run.invoke(app, [*base, "--out", str(tmp_path / "out"), "--keep-params", "--workers", "1"])
    assert drawn.exit_code == 0, drawn.output
    again = run.invoke(app, [*base, "--out", str(tmp_path / "out"), "--redraw", "7", "--redraw", "59"])
    assert again.stdout.split() == [f"{tmp_path}/out/redrawn/{name}.jpg" for name in ("000007", "000059")]
    for name in ("000007", "000059"):
        whole = (tmp_path / f"out/images/00000/{name}.jpg").read_bytes()
        assert (tmp_path / f"out/redrawn/{name}.jpg").read_bytes() == whole
    other = run.invoke(app, [*base, "--seed", "4", "--out", str(tmp_path / "out"), "--redraw", "7"])
    assert isinstance(other.exception, OutputError)
    wrong = run.invoke(app, [*base, "--out", str(tmp_path / "out"), "--format", "zip"])
    assert isinstance(wrong.exception, UsageError)


def test_the_page_shows_counts_fonts_and_labels(latin_font: Path, tmp_path: Path) -> None:
    request = replace(request_of(latin_font), templates=(), texts=("Total 12", "Sum 3"), count=None)
    synthesize(request, tmp_path / "out")
    page = (tmp_path / "out/synth.html").read_text(encoding="utf-8")
    assert '<td class="text">Total 12</td>' in page
    assert "<td>Latin Regular</td><td>OFL-1.1</td><td>path</td>" in page
    assert page.count("data:image/jpeg;base64,") == 2
    assert "default-src 'none'" in page


def test_fonts_of_the_page_have_the_licence_of_their_font_or_ours() -> None:
    font = {"family": "Latin", "style": "Regular", "licence": "OFL-1.1", "source": "path"}
    counts = {"fonts": {"Latin Regular": 3, "seven-segment": 1}}
    assert used_fonts({"fonts": [font]}, Account(4, 9, 0, 0, counts)) == [
        {"name": "Latin Regular", "licence": "OFL-1.1", "source": "path", "lines": 3},
        {"name": "seven-segment", "licence": "Apache-2.0", "source": "datakit", "lines": 1},
    ]


def test_nothing_on_the_page_is_markup(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\u202e\"'"
    font = {"family": hostile, "style": "", "licence": hostile, "source": hostile}
    plan = {"characters": [], "origins": {hostile: 1}}
    arguments = {"plan": plan, "fonts": [font], "warnings": [hostile]}
    account = Account(1, 10, 0, 0, {"fonts": {hostile: 1}, "presets": {hostile: 1}})
    write_page(tmp_path, arguments, account, [])
    page = (tmp_path / "synth.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&lt;U+202E&gt;") == 6
