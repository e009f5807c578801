import pytest

from datakit.label_rules import CaseShares, RuleShares, case_of, case_shares, difference, rule_shares
from datakit.records import Prediction


@pytest.mark.parametrize(
    ("label", "text", "kind"),
    [
        ("TOTAL", "TOTAL", "exact"),
        ("TOTAL", "Total", "case"),
        ("ΣΑΣ", "σας", "case"),
        ("GRANDTOTAL", "GRAND TOTAL", "spaces"),
        ("a\u3000b", "a b", "spaces"),
        ("１２３", "123", "width"),
        ("①", "1", "width"),
        ("GRANDTOTAL", "Grand Total", "several"),
        ("ＴＯＴＡＬ", "total", "several"),
        ("ＡＢ Ｃ", "ABC", "several"),
        ("TOTAL", "T0TAL", "other"),
        ("", "a", "other"),
        ("", " ", "spaces"),
    ],
)
def test_what_parts_a_label_and_a_reading(label, text, kind):
    assert difference(label, text) == kind
    assert difference(text, label) == kind


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("TOTAL 12.00", "upper"),
        ("total 12.00", "lower"),
        ("Grand Total", "title"),
        ("Don't Panic", "title"),
        ("Thank you", "mixed"),
        ("iPhone", "mixed"),
        ("RM 12.00", "none"),
        ("合計 金額", "none"),
        ("ИТОГО", "upper"),
        ("", "none"),
    ],
)
def test_the_case_of_a_label(text, case):
    assert case_of(text) == case


def test_case_shares_add_up():
    labels = ["TOTAL", "CASH", "total", "Grand Total", "Thank you", "RM 1", "12"]
    whole = case_shares(labels)
    assert whole == CaseShares(upper=2, lower=1, title=1, mixed=1, none=2)
    assert case_shares(labels[:3]) + case_shares(labels[3:]) == whole
    assert whole.words == 5
    assert whole.share("upper") == 0.4
    assert whole.to_dict()["upper_share"] == 0.4
    assert CaseShares(none=3).share("upper") == 0.0


def prediction(label, text):
    return Prediction("f.txt", 1, "x.png", label, text, None if text is not None else "image-missing")


def test_the_shares_of_the_rules():
    shares = rule_shares(
        prediction(label, text)
        for label, text in [
            ("TOTAL", "TOTAL"),
            ("TOTAL", "Total"),
            ("CASH", "cash"),
            ("cash", "Cash"),
            ("Cash", "cAsh"),
            ("GRANDTOTAL", "GRAND TOTAL"),
            ("A B", "AB"),
            ("１", "1"),
            ("GRANDTOTAL", "grand total"),
            ("TOTAL", "TOTAI"),
            ("TOTAL", None),
        ]
    )
    assert shares == RuleShares(
        lines=11,
        exact=1,
        case=4,
        spaces=2,
        width=1,
        several=1,
        other=1,
        unreadable=1,
        label_upper=2,
        label_lower=1,
        label_joined=1,
        label_spaced=1,
    )
    assert shares.agreed == 9
    assert shares.share("case") == 0.4
    assert shares.to_dict()["agreed"] == 9
    assert shares.to_dict()["spaces_share"] == 0.2


def test_nothing_read_has_no_shares():
    assert rule_shares([]) == RuleShares()
    assert rule_shares([prediction("a", None)]).share("exact") == 0.0
