"""Texts made round one character: it stands where its like stands."""

from __future__ import annotations

import re
from random import Random

import pytest

from datakit_synth.compose import Composer
from datakit_synth.kinds import kind_of
from datakit_synth.texts import Rules


class AllCovered:
    """Every font has everything."""

    broken = ()

    def mask(self, _text: str) -> int:
        return 1


def composed(char: str, count: int = 60, corpus: tuple[str, ...] = ()) -> list[str]:
    rules = Rules(AllCovered(), None, 18)  # type: ignore[arg-type]
    composer = Composer(corpus, [], rules, Random(4))
    return [composer.compose(char, (), 1, 18, lambda _text: True) for _ in range(count)]


@pytest.mark.parametrize(
    ("char", "kind"),
    [
        ("\u00a7", "reference"),
        ("\u00ae", "trade"),
        ("\u2122", "trade"),
        ("\u00bd", "fraction"),
        ("\u00b2", "raised"),
        ("\u2082", "lowered"),
        ("\u2026", "ending"),
        ("\u25a0", "sign"),
        ("\u2103", "unit"),
        ("\u20ac", "currency"),
        ("\u6c49", "han"),
        ("Q", "latin-Lu"),
    ],
)
def test_kinds(char: str, kind: str) -> None:
    assert kind_of(char) == kind


@pytest.mark.parametrize(
    ("char", "shape"),
    [
        ("\u00a7", r"\u00a7 ?\d"),
        ("\u00bd", r"\u00bd( |\"|$|[\u3000-\u9fff])"),
        ("\u00ae", r"\u00ae$"),
        ("\u2103", r"\d ?\u2103"),
        ("\u20ac", r"\u20ac ?\d|\d ?\u20ac"),
        ("\u2082", r"[A-Za-z]\u2082"),
    ],
)
def test_a_sign_stands_where_it_is_written(char: str, shape: str) -> None:
    texts = composed(char)
    assert all(char in text for text in texts)
    assert [text for text in texts if not re.search(shape, text)] == []


def test_an_end_of_a_phrase_does_not_part_a_number() -> None:
    texts = composed("\u3002", corpus=("12.50", "Total: 8.75.", "a.com"))
    assert [text for text in texts if re.search(r"[0-9a-z]\u3002[0-9a-z]", text)] == []


def test_signs_without_a_place_of_their_own_stand_beside_any_text() -> None:
    rests = {text.replace("\u25a0", "").strip() for text in composed("\u25a0")}
    assert len(rests) > 25
    assert sum("_" in rest for rest in rests) < len(rests) // 4
