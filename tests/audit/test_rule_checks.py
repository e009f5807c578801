import pytest

from datakit.audit.rule_checks import RULE_CHECKS, RuleFacts, one_case
from datakit.label_rules import CaseShares, RuleShares


def found(cases, read=None):
    hits = {code: list(check.run(RuleFacts(cases, read))) for code, check in RULE_CHECKS.items()}
    return {code: messages for code, messages in hits.items() if messages}


@pytest.mark.parametrize(
    ("cases", "case"),
    [
        (CaseShares(upper=20), "upper"),
        (CaseShares(upper=19), None),
        (CaseShares(upper=98, mixed=2), "upper"),
        (CaseShares(upper=97, mixed=3), None),
        (CaseShares(lower=20, none=500), "lower"),
        (CaseShares(title=50), None),
    ],
)
def test_a_set_in_one_case(cases, case):
    assert one_case(cases) == case
    assert list(found(cases)) == (["case-rule"] if case else [])


def test_the_message_says_how_many():
    assert found(CaseShares(upper=30, none=9))["case-rule"] == [
        "all 30 labels that hold a word of four letters or more are in upper case"
    ]
    assert found(CaseShares(upper=99, mixed=1))["case-rule"] == [
        "99.0% of 100 labels that hold a word of four letters or more are in upper case"
    ]


def test_predictions_say_whether_the_case_is_a_habit():
    read = RuleShares(lines=101, exact=70, case=30, unreadable=1, label_upper=30)
    assert found(CaseShares(upper=80), read) == {
        "case-rule": [
            "all 80 labels that hold a word of four letters or more are in upper case; 30 of 100 readings "
            "(30.0%) differ from the label by case alone (30 labels all upper, 0 all lower)"
        ]
    }
    assert found(CaseShares(mixed=80), read)["case-rule"] == [
        "30 of 100 readings (30.0%) differ from the label by case alone (30 labels all upper, 0 all lower)"
    ]


def test_spaces_and_width_need_predictions():
    read = RuleShares(lines=100, exact=93, spaces=5, width=2, label_joined=4, label_spaced=1)
    assert found(CaseShares(), read) == {
        "space-rule": [
            "5 of 100 readings (5.0%) differ from the label by spaces alone: 4 labels have fewer spaces, "
            "1 more"
        ],
        "width-rule": ["2 of 100 readings (2.0%) differ from the label by full or half width alone (NFKC)"],
    }


def test_few_readings_and_few_differences_prove_nothing():
    assert found(CaseShares(), RuleShares(lines=49, spaces=49)) == {}
    assert found(CaseShares(), RuleShares(lines=100, exact=99, case=1)) == {}
