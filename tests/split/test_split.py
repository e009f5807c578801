"""datakit split: every line in one part, byte for byte, groups whole, the same with the same seed."""

import json
import signal
import sys

import numpy as np
import pytest
from PIL import Image

from datakit.cli.main import main
from datakit.errors import InputError, OutputError, UsageError
from datakit.files import Manifest, read_manifest, write_manifest
from datakit.groups import grouping
from datakit.split import Share, read_lines, share, split_labels, write_split

PAGES = [f"p{page:02d}_{line}.png\ttext {page}{line}\n" for page in range(20) for line in range(5)]


def labels(folder, data, name="labels.txt"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else "".join(data).encode())
    return path


def split_of(folder, data, by="page", pattern=None, **options):
    lines, _ = read_lines([labels(folder, data)])
    options.setdefault("val", Share(0.1))
    return lines, split_labels(lines, grouping(by, pattern), **options)


def pages_of(lines, members):
    return {lines[at].image[:3] for at in members}


@pytest.fixture
def datakit(monkeypatch, capsys):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["datakit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_pages_stay_whole(tmp_path):
    lines, split = split_of(tmp_path, PAGES, val=Share(0.1), test=Share(15))
    assert {part: len(members) for part, members in split.parts.items()} == {
        "train": 75,
        "val": 10,
        "test": 15,
    }
    assert split.groups == {"train": 15, "val": 2, "test": 3}
    assert (split.loose, split.notes) == (0, ())
    found = [pages_of(lines, members) for members in split.parts.values()]
    assert sum(map(len, found)) == len(set().union(*found)) == 20
    assert sorted(at for members in split.parts.values() for at in members) == list(range(100))


def test_the_seed_decides(tmp_path):
    first = split_of(tmp_path, PAGES, seed=1)[1]
    assert split_of(tmp_path, PAGES, seed=1)[1] == first
    assert split_of(tmp_path, PAGES, seed=2)[1] != first


def test_every_rule(tmp_path):
    data = [
        f"{folder}/x{n}.png\t{text}\n"
        for n, (folder, text) in enumerate(zip("aabbccdd" * 5, "01234" * 8, strict=True))
    ]
    lines, split = split_of(tmp_path, data, by="folder", val=Share(10))
    assert {lines[at].image[0] for at in split.parts["val"]}.isdisjoint(
        lines[at].image[0] for at in split.parts["train"]
    )
    lines, split = split_of(tmp_path, data, by="text", val=Share(8))
    assert len({lines[at].text for at in split.parts["val"]}) == 1
    assert split.groups == {"train": 4, "val": 1}
    _, split = split_of(tmp_path, data, by="none", val=Share(7))
    assert (len(split.parts["val"]), split.groups["val"], split.loose) == (7, 7, 40)
    _, split = split_of(tmp_path, data, by="regex", pattern=r"x\d*([05])\.", val=Share(4))
    assert split.loose == 32


def test_joined_lines_stay_together(tmp_path):
    joined = [(at, at + 50) for at in range(0, 50, 5)]
    lines, split = split_of(tmp_path, PAGES, joined=joined)
    assert sum(split.groups.values()) == 10
    for part in split.parts.values():
        pages = {int(lines[at].image[1:3]) for at in part}
        assert {page % 10 for page in pages} == {page % 10 for page in pages if page >= 10}


def test_a_group_that_is_too_large_is_spoken_of(tmp_path):
    data = [f"big_{n}.png\ta\n" for n in range(60)] + [f"mid_{n}.png\ta\n" for n in range(40)]
    _, split = split_of(tmp_path, data, val=Share(0.1))
    assert len(split.parts["val"]) == 40
    assert split.notes == ("val holds 40 lines, 10 were asked for: the largest group has 60 lines",)


@pytest.mark.parametrize("parts", [{"val": Share(0.99)}, {"val": Share(1), "test": Share(0.98)}])
def test_every_part_gets_a_group(tmp_path, parts):
    for seed in range(20):
        _, split = split_of(tmp_path, PAGES, seed=seed, **parts)
        assert all(split.parts.values()), seed


def test_what_cannot_be_split(tmp_path):
    with pytest.raises(InputError, match="3 lines form 1 groups, too few for 2 parts"):
        split_of(tmp_path, [f"a_{n}.png\tx\n" for n in range(3)])
    with pytest.raises(InputError, match="100 lines are asked for and none of 100 is left to train on"):
        split_of(tmp_path, PAGES, val=Share(100))
    with pytest.raises(InputError, match="holds no usable line"):
        read_lines([labels(tmp_path, "no tab\n")])
    with pytest.raises(InputError, match="different tasks"):
        page = labels(tmp_path, 'a.png\t[{"transcription": "a", "points": [[0,0],[1,0],[1,1]]}]\n', "det.txt")
        read_lines([labels(tmp_path, PAGES), page])


@pytest.mark.parametrize("text", ["0", "1.0", "-1", "0.0", "1.5", "nan", "inf", "many", ""])
def test_shares_that_make_no_sense(text):
    with pytest.raises(UsageError, match="--val"):
        share(text, "--val")


def test_shares():
    assert (share("0.1", "--val").lines(95), share("500", "--val").lines(9), Share(0.001).lines(9)) == (
        10,
        500,
        1,
    )


def test_lines_in_are_lines_out_byte_for_byte(tmp_path):
    odd = [
        b"a_1.png\tx\r\n",
        b"b_1.png\ty\tz\n",
        b"no tab\n",
        "c_1.png\t中 \u2028文\n".encode(),
        b"\xff\tx\n",
        b"\n",
    ]
    path = labels(tmp_path, b"\xef\xbb\xbf" + b"".join(odd) + b"d_1.png\tlast")
    lines, faults = read_lines([path])
    split = split_labels(lines, grouping("page"), val=Share(1))
    files = write_split(split, lines, faults, tmp_path / "out", arguments={"by": "page"}, seed=0)
    out = b"".join((tmp_path / "out" / f"{part}.txt").read_bytes() for part in ("train", "val"))
    kept = [odd[0], odd[1], odd[3], b"d_1.png\tlast\n"]
    assert sorted(out.splitlines(keepends=True)) == sorted(b"".join(kept).splitlines(keepends=True))
    dropped = [json.loads(row) for row in (tmp_path / "out/dropped.jsonl").read_text().splitlines()]
    assert [(row["line"], row["code"]) for row in dropped] == [
        (3, "missing-tab"),
        (5, "invalid-utf8"),
        (6, "blank-line"),
    ]
    manifest = read_manifest(tmp_path / "out")
    assert manifest.state == "done"
    assert manifest.counts == {"lines": 7, "train": 3, "val": 1, "dropped": 3}
    assert list(manifest.inputs) == [str(path)]
    assert sorted(files) == ["train", "val"]


def test_a_file_that_is_no_earlier_split_is_never_replaced(tmp_path):
    lines, faults = read_lines([labels(tmp_path, PAGES, "train.txt")])
    split = split_labels(lines, grouping("page"), val=Share(5))
    with pytest.raises(OutputError, match="is there already and no earlier split"):
        write_split(split, lines, faults, tmp_path, arguments={}, seed=0)
    assert [file.name for file in tmp_path.iterdir()] == ["train.txt"]
    assert (tmp_path / "train.txt").read_text() == "".join(PAGES)


def test_somebody_elses_test_set_stays(tmp_path, datakit):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/test.txt").write_text("mine")
    for _ in range(2):
        assert datakit("split", labels(tmp_path, PAGES), "--out", tmp_path / "out")[0] == 0
        assert (tmp_path / "out/test.txt").read_text() == "mine"
    status, _, err = datakit("split", tmp_path / "out/train.txt", "--out", tmp_path / "out", "--val", "0.2")
    assert status == 2 and "choose another --out" in err


def test_the_manifest_of_another_command_stays(tmp_path, datakit):
    write_manifest(tmp_path / "out", Manifest("synth"))
    status, _, err = datakit("split", labels(tmp_path, PAGES), "--out", tmp_path / "out")
    assert status == 2 and "holds the output of datakit synth" in err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["manifest.json"]


def test_a_second_run_leaves_no_old_part(tmp_path, datakit):
    path = labels(tmp_path, [*PAGES, "no tab\n"])
    out = tmp_path / "out"
    assert datakit("split", path, "--out", out, "--test", "0.2")[0] == 0
    assert (out / "dropped.jsonl").exists() and (out / "test.txt").exists()
    labels(tmp_path, PAGES)
    assert datakit("split", path, "--out", out)[0] == 0
    assert sorted(file.name for file in out.iterdir()) == ["manifest.json", "train.txt", "val.txt"]


def test_the_command(tmp_path, datakit):
    path = labels(tmp_path, [*PAGES, "no tab\n"])
    status, printed, err = datakit("split", path, "--out", tmp_path / "out", "--val", "20")
    assert (status, (tmp_path / "out/val.txt").read_text().count("\n")) == (0, 20)
    assert "train        80 lines" in printed and "labels.txt:101: missing-tab" in printed
    assert f"use --data-dir {tmp_path}" in err


def test_a_dry_run_writes_nothing(tmp_path, datakit):
    path = labels(tmp_path, PAGES)
    status, printed, _ = datakit("split", path, "--out", tmp_path / "out", "--dry-run", "--json")
    document = json.loads(printed)
    assert status == 0
    assert document["totals"] == {"lines": 100, "train": 90, "val": 10, "dropped": 0}
    assert (document["files"], document["groups"]) == (None, {"train": 18, "val": 2})
    assert not (tmp_path / "out").exists()


def test_copies_stay_on_one_side(tmp_path, datakit):
    names = [f"{n:02d}.png" for n in range(20)]
    for n, name in enumerate(names):
        noise = np.random.default_rng(n % 10).integers(0, 255, (40, 160), np.uint8)
        Image.fromarray(noise).save(tmp_path / name, compress_level=1 + n // 10)
    path = labels(tmp_path, [f"{name}\ta{name}\n" for name in names])
    options = ("--out", tmp_path / "out", "--by", "none", "--val", "6", "--keep-copies-together")
    assert datakit("split", path, *options)[0] == 0
    numbers = {int(line[:2]) for line in (tmp_path / "out/val.txt").read_text().splitlines()}
    assert len(numbers) == 6
    assert {n % 10 for n in numbers if n < 10} == {n % 10 for n in numbers if n >= 10}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--by", "shop"), "known are page, folder, regex, text, none"),
        (("--by", "regex"), "belong together"),
        (("--val", "2.5"), "--val 2.5: a share between 0 and 1"),
        (("--task", "page"), "known are rec, det"),
        (("--val", "200"), "200 lines are asked for"),
    ],
)
def test_wrong_use(tmp_path, datakit, options, sentence):
    status, printed, err = datakit("split", labels(tmp_path, PAGES), "--out", tmp_path / "out", *options)
    assert (status, printed) == (2, "")
    assert sentence in err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_files_of_several_folders_need_a_root(tmp_path, datakit):
    (tmp_path / "b").mkdir()
    one, two = labels(tmp_path, PAGES), labels(tmp_path / "b", PAGES)
    assert datakit("split", one, two, "--out", tmp_path / "out")[0] == 2
    assert datakit("split", one, two, "--out", tmp_path / "out", "--data-dir", tmp_path)[0] == 0
    assert datakit("split", tmp_path / "gone.txt", "--out", tmp_path / "out")[0] == 2
