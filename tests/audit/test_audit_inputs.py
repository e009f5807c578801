"""What is audited and with which settings: label files, LMDB sets, PPOCRLabel's files, a PaddleOCR YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from datakit.audit.inputs import Inputs, LabelSource, Request, Trainer, resolve, scan
from datakit.audit.inputs.files import sources_of
from datakit.encoders import NO_DICTIONARY
from datakit.errors import InputError, UsageError
from datakit.labels import DetLine, LabelFault, RecLine

BOX = json.dumps([{"transcription": "a", "points": [[0, 0], [9, 0], [9, 9], [0, 9]], "difficult": False}])


def write(path: Path, data: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data, encoding="utf-8")
    return str(path)


def test_label_files_with_their_folders_tasks_and_ratios(tmp_path: Path) -> None:
    rec = write(tmp_path / "a/rec.txt", "x.jpg\tab\n")
    det = write(tmp_path / "b/det.txt", f"x.jpg\t{BOX}\n")
    assert resolve(Request((rec, det), ratios=(0.5, 2.0))) == Inputs(
        (
            LabelSource(rec, "rec", tmp_path / "a", ratio=0.5),
            LabelSource(det, "det", tmp_path / "b", ratio=2.0),
        ),
        Trainer(),
    )
    both = resolve(Request((rec, rec), ratios=(0.25,), data_dir=tmp_path))
    assert [(source.ratio, source.data_dir) for source in both.sources] == [(0.25, tmp_path)] * 2
    assert isinstance(next(scan(LabelSource(det, "det", tmp_path))), DetLine)
    assert resolve(Request(("-",), task="rec")).sources == (LabelSource("-", "rec", Path()),)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(), "no label file given"),
        (Request(("-",)), "say which task"),
        (Request(("-", "-"), task="rec"), "can be read once"),
        (Request(("-",), overrides=("A.b=1",)), "name it with -c"),
        (Request(("-",), task="rec", ratios=(1.0, 2.0)), "2 ratios for 1 label files"),
        (Request(("-",), task="rec", ratios=(-1.0,)), "ratio -1.0 is not a number"),
    ],
)
def test_requests_that_make_no_sense(request_: Request, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve(request_)


def test_folders_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder, not a label file, and holds no LMDB set"):
        sources_of(str(tmp_path))
    with pytest.raises(InputError, match="no such label file"):
        sources_of(str(tmp_path / "gone.txt"))


class TestPPOCRLabel:
    """Its detection files start their paths one folder above; its other files have names of their own."""

    def test_paths_begin_with_the_folders_name(self, tmp_path: Path) -> None:
        for name in ("Label.txt", "Cache.cach"):
            path = write(tmp_path / "shop" / name, f"shop/1.jpg\t{BOX}\nshop/2.jpg\t{BOX}\n")
            (source,) = sources_of(path)
            assert (source.task, source.data_dir) == ("det", tmp_path)
            assert f"paths begin with shop/ and start at {tmp_path}" in source.notes[-1]
            assert len(source.notes) == (2 if name == "Cache.cach" else 1)
            (given,) = sources_of(path, data_dir=tmp_path / "other")
            assert given.data_dir == tmp_path / "other"
        assert "not yet checked by a person" in source.notes[0]

    def test_paths_that_lie_in_the_folder_stay_there(self, tmp_path: Path) -> None:
        path = write(tmp_path / "shop/Label.txt", f"1.jpg\t{BOX}\n")
        assert sources_of(path) == (LabelSource(path, "det", tmp_path / "shop"),)
        path = write(tmp_path / "shop/Label.txt", f"shop/1.jpg\t{BOX}\n")
        write(tmp_path / "shop/shop/1.jpg", "")
        assert sources_of(path) == (LabelSource(path, "det", tmp_path / "shop"),)

    def test_recognition_and_states(self, tmp_path: Path) -> None:
        path = write(tmp_path / "shop/rec_gt.txt", "crop_img/1_crop_0.jpg\ttext\n")
        assert sources_of(path) == (LabelSource(path, "rec", tmp_path / "shop"),)
        states = write(tmp_path / "shop/fileState.txt", f"{tmp_path}/shop/1.jpg\t1\n")
        with pytest.raises(InputError, match=r"list of checked pictures, not a label file; give Label.txt"):
            sources_of(states)


class TestLmdb:
    """A folder stands for every set under it."""

    def test_sets_of_a_folder(self, tmp_path: Path) -> None:
        lmdb = pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
        from datakit.lmdb_set import write_lmdb

        write_lmdb(tmp_path / "a", [(b"x", "one")])
        write_lmdb(tmp_path / "b/c", [(b"x", "two"), (b"y", "")])
        environment = lmdb.open(str(tmp_path / "b/c"))
        with environment.begin(write=True) as transaction:
            transaction.put(b"label-000000003", b"unread")
            transaction.delete(b"image-000000002")
        environment.close()
        first, second = resolve(Request((str(tmp_path),))).sources
        assert first == LabelSource(str(tmp_path / "a"), "rec", tmp_path / "a", "lmdb")
        assert second.notes == (
            f"{tmp_path / 'b/c'}: 1 labels under keys above num-samples, which PaddleOCR never reads",
        )
        entries = list(scan(second))
        assert isinstance(entries[0], RecLine) and entries[0].images == ("image-000000001",)
        assert isinstance(entries[1], LabelFault) and (entries[1].line, entries[1].code) == (2, "missing-key")
        with pytest.raises(UsageError, match="holds recognition samples"):
            sources_of(str(tmp_path), task="det")


def config(tmp_path: Path, **changes: Any) -> Path:
    """A small YAML of PaddleOCR; ``changes`` replace values of Global."""
    document = {
        "Global": {
            "character_dict_path": str(tmp_path / "dict.txt"),
            "use_space_char": False,
            "max_text_length": 40,
            "epoch_num": 1,
            **changes,
        },
        "Optimizer": {"name": "Adam", "lr": {"name": "Const", "learning_rate": 0.001}},
        "Architecture": {
            "model_type": "rec",
            "algorithm": "SVTR_LCNet",
            "Transform": None,
            "Backbone": {"name": "MobileNetV1Enhance", "scale": 0.5, "last_pool_kernel_size": [2, 2]},
            "Neck": {"name": "SequenceEncoder", "encoder_type": "svtr"},
            "Head": {"name": "CTCHead"},
        },
        "Loss": {"name": "CTCLoss"},
        "PostProcess": {"name": "CTCLabelDecode"},
        "Metric": {"name": "RecMetric"},
        "Train": section(tmp_path, ["one.txt", "two.txt"], [0.5, 1.0]),
        "Eval": section(tmp_path, ["val.txt"], None),
    }
    for name in ("one", "two", "val"):
        write(tmp_path / f"{name}.txt", "x.jpg\tab\n")
    write(tmp_path / "dict.txt", "a\nb\n")
    path = tmp_path / "rec.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def section(tmp_path: Path, files: list[str], ratios: list[float] | None) -> dict[str, Any]:
    dataset: dict[str, Any] = {
        "name": "SimpleDataSet",
        "data_dir": str(tmp_path / "pictures"),
        "label_file_list": [str(tmp_path / file) for file in files],
        "transforms": [
            {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
            {"CTCLabelEncode": None},
            {"RecResizeImg": {"image_shape": [3, 48, 480]}},
            {"KeepKeys": {"keep_keys": ["image", "label", "length"]}},
        ],
    }
    if ratios:
        dataset["ratio_list"] = ratios
    return {"dataset": dataset, "loader": {"shuffle": True, "batch_size_per_card": 8, "drop_last": False}}


class TestConfiguration:
    """A PaddleOCR YAML gives everything; the command line wins and says so."""

    def test_everything_from_the_yaml(self, tmp_path: Path) -> None:
        inputs = resolve(Request(config=config(tmp_path)))
        pictures = tmp_path / "pictures"
        assert inputs.sources == (
            LabelSource(str(tmp_path / "one.txt"), "rec", pictures, ratio=0.5),
            LabelSource(str(tmp_path / "two.txt"), "rec", pictures, ratio=1.0),
        )
        assert inputs.val == (LabelSource(str(tmp_path / "val.txt"), "rec", pictures),)
        trainer = inputs.trainer
        assert trainer.charset is not None and trainer.charset.chars == ("a", "b")
        assert (trainer.use_space_char, trainer.lower, trainer.encoder) == (False, False, "ctc")
        assert (trainer.max_text_length, trainer.image_shape) == (40, (3, 48, 480))

    def test_overrides_of_the_yaml(self, tmp_path: Path) -> None:
        changed = resolve(Request(config=config(tmp_path), overrides=("Global.max_text_length=80",)))
        assert changed.trainer.max_text_length == 80
        assert not [note for note in changed.notes if "command line" in note]

    def test_the_command_line_wins_and_says_so(self, tmp_path: Path) -> None:
        path = config(tmp_path)
        own = write(tmp_path / "own/labels.txt", "x.jpg\tab\n")
        dictionary = write(tmp_path / "other.txt", "c\n")
        inputs = resolve(
            Request(
                (own, str(tmp_path / "val.txt")),
                config=path,
                dictionary=Path(dictionary),
                use_space_char=True,
                encoder="ctc",
                max_text_length=25,
                image_shape=(3, 48, 320),
            )
        )
        # A file that the YAML names keeps the YAML's data_dir; another one starts at its own folder.
        assert [source.data_dir for source in inputs.sources] == [tmp_path / "own", tmp_path / "pictures"]
        assert inputs.trainer.charset is not None and inputs.trainer.charset.chars == ("c", " ")
        assert [note for note in inputs.notes if "command line" in note] == [
            f"--use-space-char True of the command line, not False of {path}",
            f"--dict {dictionary} of the command line, not {tmp_path / 'dict.txt'} of {path}",
            f"--max-text-length 25 of the command line, not 40 of {path}",
            f"--image-shape 3,48,320 of the command line, not 3,48,480 of {path}",
            f"label files of the command line, not those of {path}",
        ]

    def test_without_a_dictionary_texts_are_lower_cased(self, tmp_path: Path) -> None:
        inputs = resolve(Request(config=config(tmp_path, character_dict_path=None, use_space_char=True)))
        assert inputs.trainer.charset is NO_DICTIONARY
        assert (inputs.trainer.lower, inputs.trainer.use_space_char) == (True, False)
        assert "no character_dict_path: PaddleOCR trains 0-9 and a-z, in lower case" in inputs.notes

    def test_what_cannot_be_read(self, tmp_path: Path) -> None:
        path = config(tmp_path)
        (tmp_path / "two.txt").unlink()
        with pytest.raises(InputError, match=r"two\.txt: no such label file"):
            resolve(Request(config=path))
        with pytest.raises(InputError, match=r"gone\.yml"):
            resolve(Request(config=tmp_path / "gone.yml"))
        with pytest.raises(UsageError, match="delimiter"):
            resolve(Request(config=config(tmp_path), overrides=("Train.dataset.delimiter=,",)))
