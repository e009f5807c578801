"""What belongs together, by its name, folder, text or a pattern."""

import pytest

from datakit.errors import UsageError
from datakit.groups import folder_of, grouping, page_of


@pytest.mark.parametrize(
    ("image", "page"),
    [
        ("rec/r012_034.jpg", "rec/r012"),
        ("r012_034.jpg", "r012"),
        ("a/b/17_000.png", "a/b/17"),
        ("invoice-2020-03_7.png", "invoice-2020-03"),
        ("scan.12.png", "scan"),
        ("scan__12", "scan"),
        ("页_1.jpg", "页"),
        ("0300.jpg", None),
        ("a/0300", None),
        ("r012_034/0300.jpg", None),
        ("_7.jpg", None),
        ("a.b/7.jpg", None),
        ("page_1.tar.gz", "page_1"),
        ("", None),
    ],
)
def test_the_page_of_a_name(image, page):
    assert page_of(image) == page


def test_the_rules():
    assert folder_of("a/b/c.png") == "a/b"
    assert folder_of("c.png") == ""
    assert grouping("page")("x/r1_2.png", "t") == "x/r1"
    assert grouping("folder")("x/r1_2.png", "t") == "x"
    assert grouping("text")("x/r1_2.png", "t") == "t"
    assert grouping("none")("x/r1_2.png", "t") is None
    assert grouping("regex", r"shop(\d+)")("shop12/a.png", "t") == "12"
    assert grouping("regex", r"shop\d+")("shop12/a.png", "t") == "shop12"
    assert grouping("regex", r"shop\d+")("a.png", "shop1") is None
    assert grouping("regex", r"shop(\d)?")("shop/a.png", "t") is None


@pytest.mark.parametrize(
    ("by", "pattern", "sentence"),
    [
        ("shop", None, "known are page, folder, regex, text, none"),
        ("regex", None, "belong together"),
        ("page", "a", "belong together"),
        ("regex", "(", "is no regular expression"),
    ],
)
def test_rules_that_make_no_sense(by, pattern, sentence):
    with pytest.raises(UsageError, match=sentence):
        grouping(by, pattern)
