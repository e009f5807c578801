"""What a set is held against: copies, a validation set, a reference, a model's readings."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from plants import LETTERS, rendered_lines
from typer.testing import CliRunner

from datakit.audit import audit
from datakit.audit.beside import Beside
from datakit.audit.inputs.source import LabelSource
from datakit.audit.readings import weigh
from datakit.cli.main import app
from datakit.records import Prediction

COUNT = 60


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    return folder, rendered_lines(folder, COUNT, seed=3)


def written(folder, name, lines):
    (folder / name).write_text("".join(f"{image}\t{text}\n" for image, text in lines), encoding="utf-8")
    return folder / name


def saved_again(folder, image, number):
    """A picture brighter, noisier and in another quality."""
    noise = np.random.default_rng(number).integers(-3, 4, (1, 1, 3)) + 5
    pixels = np.clip(cv2.imread(str(folder / image)).astype(np.int16) + noise, 0, 255).astype(np.uint8)
    name = f"again/{number}.jpg"
    (folder / "again").mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / name), pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return name


def found(report):
    return {(finding.code, finding.file, finding.line) for finding in report.findings}


def test_crops_that_were_saved_again(studio):
    folder, lines = studio
    clean = [(line.image, line.text) for line in lines]
    same = [(saved_again(folder, line.image, n), line.text) for n, line in enumerate(lines[:20])]
    other = [
        (saved_again(folder, line.image, 20 + n), line.text + "9") for n, line in enumerate(lines[20:40])
    ]
    labels = written(folder, "near.txt", clean + same + other)
    report = audit([labels])
    name = str(labels)
    copies = {entry for entry in found(report) if "copy" in entry[0]}
    assert copies == {
        *(("near-copy", name, COUNT + n) for n in range(1, 21)),
        *(("near-copy-two-texts", name, COUNT + n) for n in range(21, 41)),
    }
    hit = next(hit for hit in report.hits if hit.finding.line == COUNT + 1 and hit.beside)
    assert hit.beside == (str(folder), lines[0].image)
    assert audit([labels], workers=2).counts == report.counts


def test_a_validation_set_that_is_trained_on(studio):
    folder, lines = studio
    train = written(folder, "train.txt", [(line.image, line.text) for line in lines[:40]])
    again = saved_again(folder, lines[1].image, 90)
    val = written(
        folder,
        "val.txt",
        [(lines[0].image, lines[0].text), (again, lines[1].text), *((x.image, x.text) for x in lines[40:])],
    )
    beside = Beside(val=(LabelSource(str(val), "rec", folder),))
    report = audit([train], beside=beside)
    leaks = {entry for entry in found(report) if entry[0].startswith("leak")}
    assert ("leak-near-copy", str(val), 2) in leaks
    assert ("leak-copy", str(val), 1) in leaks
    assert report.totals.lines == 40
    assert not any(entry[0].startswith("leak") for entry in found(audit([train])))


def test_pages_on_both_sides(studio):
    folder, lines = studio
    sides = {"t": [], "v": []}
    for number, line in enumerate(lines):
        name = f"{number % 5}_{number:03}.jpg"
        (folder / name).write_bytes((folder / line.image).read_bytes())
        sides["v" if number % 3 == 0 else "t"].append((name, line.text))
    train, val = written(folder, "t.txt", sides["t"]), written(folder, "v.txt", sides["v"])
    report = audit([train], beside=Beside(val=(LabelSource(str(val), "rec", folder),)))
    assert report.counts["leak-page"] == 5
    assert report.counts["split-not-by-group"] == 1


def test_a_label_of_another_line(studio):
    folder, lines = studio
    rows = [(line.image, line.text) for line in lines[:59]]
    odd = written(folder, "odd.txt", [*rows, (lines[59].image, lines[59].text[:3])])
    wide = cv2.imread(str(folder / lines[59].image))
    assert cv2.imwrite(str(folder / "wide.jpg"), np.hstack([wide] * 6))
    odd.write_text(odd.read_text().replace(lines[59].image, "wide.jpg"))
    report = audit([odd])
    assert ("text-width-outlier", str(odd), 60) in found(report)
    assert report.counts["text-width-outlier"] == 1


def predictions(file, lines, wrong):
    for number, line in enumerate(lines, start=1):
        text = wrong.get(number, line.text)
        yield Prediction(str(file), number, line.image, line.text, text, None, 0.99, (0.99,) * len(text))


def test_readings_rank_labels_and_tell_rules(studio):
    folder, lines = studio
    labels = written(folder, "read.txt", [(line.image, line.text) for line in lines])
    swapped = lines[6].text[1] + lines[6].text[0] + lines[6].text[2:]
    readings = weigh(predictions(labels, lines, {7: swapped, 9: lines[8].text.swapcase()}))
    assert [(s.prediction.line, s.prediction.text) for s in readings.suspects] == [(7, swapped)]
    assert (readings.shares[str(labels)].lines, readings.shares[str(labels)].case) == (COUNT, 1)
    report = audit([labels], images=False, beside=Beside(readings=readings))
    suspect = next(hit for hit in report.hits if hit.finding.code == "label-suspect")
    assert (suspect.finding.line, suspect.images, suspect.data_dir) == (7, (lines[6].image,), str(folder))
    assert report.to_dict()["readings"]["suspects"] == 1
    cased = weigh(predictions(labels, lines, {n: x.text.swapcase() for n, x in enumerate(lines, start=1)}))
    cases = {"case-rule"} if any(x.text.swapcase() != x.text for x in lines) else set()
    assert cases <= set(audit([labels], images=False, beside=Beside(readings=cased)).counts)


def test_a_reference_set_as_typed(studio, monkeypatch):
    folder, lines = studio
    monkeypatch.chdir(folder)
    written(folder, "ours.txt", [(line.image, line.text.upper()) for line in lines])
    written(folder, "real.txt", [(line.image, "é" + line.text.lower()) for line in lines])
    with (folder / "read.jsonl").open("w", encoding="utf-8") as stream:
        for p in predictions("elsewhere/ours.txt", [replace(x, text=x.text.upper()) for x in lines], {}):
            stream.write(p.to_json() + "\n")
    arguments = "audit ours.txt --reference real.txt --val real.txt --predictions read.jsonl --role synthetic"
    done = CliRunner().invoke(app, [*arguments.split(), "--json", "--html", "page.html"])
    document = json.loads(done.stdout)
    assert {"reference-unseen", "leak-copy"} <= set(document["counts"])
    assert "é" in document["measures"]["distance"]["unseen"]
    assert document["readings"]["lines"] == COUNT
    assert document["measures"]["epochs"][0]["sources"][0]["kind"] == "synthetic"
    lost = Counter(finding["code"] for finding in document["findings"])
    assert lost["leak-copy"] == document["counts"]["leak-copy"] == COUNT
    assert "datakit audit ours.txt --role synthetic --val real.txt" in (folder / "page.html").read_text(
        "utf-8"
    )
    assert set("".join(x.text for x in lines)) <= set(LETTERS)


def test_an_unknown_role(studio):
    folder, lines = studio
    labels = written(folder, "role.txt", [(line.image, line.text) for line in lines[:2]])
    done = CliRunner().invoke(app, ["audit", str(labels), "--role", "reel"])
    assert "--role 'reel' is not known; known are domain, general, synthetic, badcases" in str(done.exception)
