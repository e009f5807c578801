import random
import zlib

import numpy as np
import pytest

from datakit.audit.path_checks import (
    CASE_CHECK,
    PATH_CHECKS,
    PATH_NEEDLES,
    CaseNames,
    case_twins,
    folded_path,
    in_place_of_tab,
)
from datakit.labels import DetLine, RecLine


def found(*images):
    """Codes of the checks that fire; also holds every check to its triggers and needles."""
    line = RecLine("f.txt", 1, images, "text")
    codes = []
    for code, check in PATH_CHECKS.items():
        messages = list(check.run(line))
        if messages:
            codes.append(code)
            assert len(messages) == 1
            assert any(all(set(chars) & set(image) for chars in check.triggers) for image in images)
            raw = b"\n" + "".join(images).encode()
            assert any(needle in raw for needle in PATH_NEEDLES.get(code, (b"",)))
    return codes


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("train\\1.jpg", ["path-backslash"]),
        ("C:\\data\\1.jpg", ["path-drive"]),
        ("d:/data/1.jpg", ["path-drive"]),
        ("\\\\server\\1.jpg", ["path-drive"]),
        ("/data/1.jpg", ["path-absolute"]),
        ("~/1.jpg", ["path-absolute"]),
        ("https://a.b/1.jpg", ["path-url"]),
        ("s3://bucket/1.jpg", ["path-url"]),
        ("a/../1.jpg", ["path-parent"]),
        (" 1.jpg", ["path-edge-space"]),
        ("1.jpg ", ["path-edge-space"]),
        ("1.jpg\u3000", ["path-edge-space"]),
        ("train/1.jpg", []),
        ("my photos/1 (2).jpg", []),
        ("a..b/1..jpg", []),
        ("../1.jpg", []),  # leaves data_dir, which is path-outside
        ("a/../../1.jpg", []),
        ("12:30.jpg", []),
        ("c:1.jpg", []),
        ("a~b/1.jpg", []),
    ],
)
def test_a_path(path, codes):
    assert found(path) == codes


def test_several_pictures_and_pages():
    assert found("a.jpg", "b\\c.jpg", "d\\e.jpg") == ["path-backslash"]
    check = PATH_CHECKS["path-backslash"]
    line = RecLine("f.txt", 1, ("a.jpg", "b\\c.jpg", "d\\e.jpg"), "")
    assert list(check.run(line)) == ["'b\\c.jpg' and 1 more"]
    assert list(check.run(DetLine("f.txt", 1, "b\\c.jpg", ()))) == ["'b\\c.jpg'"]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("train/1.jpg    TOTAL", "spaces"),
        ("train/1.jpg TOTAL", "spaces"),
        ("my photos/1.JPG TOTAL 12", "spaces"),
        ("train/1  TOTAL", "spaces"),
        ("1.jpg\u3000TOTAL", "spaces"),
        ("1.jpg\\tTOTAL", "escape"),
        ("1.jpg", None),
        ("1.jpg ", None),
        ("TOTAL 12.00", None),
        ("one two", None),
        ("1.jpg,TOTAL", None),
        ("1.jpg\tTO  TAL", None),
        ("", None),
    ],
)
def test_what_stands_in_place_of_the_tab(raw, kind):
    assert in_place_of_tab(raw) == kind


def test_names_that_differ_by_case():
    names = CaseNames()
    assert [names.seen(path) for path in ("a/B.jpg", "a/C.jpg", "a/b.JPG", "./a/B.jpg", "A/B.jpg")] == [
        None,
        None,
        "a/B.jpg",
        None,
        "a/B.jpg",
    ]
    (check,) = CASE_CHECK.values()
    assert list(check.run(("a/B.jpg", "a/b.JPG"))) == ["'a/b.JPG' differs from 'a/B.jpg' by case alone"]


def hashes(texts):
    return np.array([zlib.crc32(text.encode()) for text in texts], np.uint64)


def test_twins_by_hash_are_those_by_name():
    rng = random.Random(5)
    paths = ["".join(rng.choice("aAbB") for _ in range(4)) for _ in range(300)]
    first, pairs = {}, []
    for number, path in enumerate(paths):
        start = first.setdefault(folded_path(path), number)
        if paths[start] != path:
            pairs.append((start, number))
    assert case_twins(hashes([folded_path(path) for path in paths]), hashes(paths)) == pairs
    assert len(pairs) > 100
    assert case_twins(hashes([]), hashes([])) == []
    assert case_twins(hashes(["a", "b"]), hashes(["a", "b"])) == []
