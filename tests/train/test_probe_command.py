import json
import sys

import pytest

from datakit.cli.main import main
from datakit.errors import InputError
from datakit.probe import probe
from datakit.records import read_targets


@pytest.fixture
def datakit(monkeypatch):
    """Run the command line; gives its exit code."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["datakit", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0

    return run


def test_a_recall_outside_its_range_is_wrong_use(tmp_path, datakit, capsys):
    assert datakit("probe", "--below", "1.5", "--out", tmp_path / "p") == 2
    assert "--below 1.5" in capsys.readouterr().err


@pytest.mark.weights
def test_real_weights_read_letters_and_not_the_per_mille_sign(tmp_path, datakit, real_model, capsys):
    out = tmp_path / "probe"
    assert datakit("probe", "--chars", "ABK‰中 𠊎", "--lines", "3", "--out", out, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    recall = {entry["char"]: entry["recall"] for entry in document["characters"]}
    assert recall["‰"] < 0.5
    assert recall["A"] == recall["K"] == recall["中"] == 1.0
    assert document["not_probed"] == {" ": "has no ink", "𠊎": "is not in the dictionary"}
    assert document == json.loads((out / "probe.json").read_text(encoding="utf-8"))
    assert [t.char for t in read_targets(out / "targets.json").targets] == ["‰"]
    assert "<title>datakit probe</title>" in (out / "probe.html").read_text(encoding="utf-8")


@pytest.mark.weights
def test_nothing_left_to_probe(real_model):
    with pytest.raises(InputError, match="is not in the dictionary"):
        probe(chars="𠊎")
