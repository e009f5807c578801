"""What kind of failure a line is; each kind has its own remedy."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from datakit.badcases.alignment import agree, failed_steps, fold_wide
from datakit.badcases.pictures import LEAST_HEIGHT, PictureFacts
from datakit.badcases.rules import direction_of, only_marks
from datakit.badcases.spool import Failed, Pair
from datakit.charset import Charset
from datakit.encoders import ctc_steps_needed
from datakit.records import Prediction
from datakit.suspects import edits_of

Kind = Literal[
    "unreadable",
    "rule-only",
    "not-in-dictionary",
    "label-suspect",
    "turned",
    "squeezed",
    "cut-crop",
    "poor-picture",
    "rare-in-training",
    "look-alike",
    "misread",
]

KINDS: dict[Kind, str] = {
    "unreadable": "the picture or the line could not be read: mend the file",
    "rule-only": "only spaces, case, width or marks differ, by a rule of the labels: make no pictures for it",
    "not-in-dictionary": "the dictionary lacks characters of the label: extend it, or correct the label",
    "label-suspect": "the label is probably wrong: go through relabel.txt",
    "turned": "the picture is upright: turn it as inference does, or train turned lines",
    "squeezed": "too long, or too dense for its width: raise max_text_length, split the line, or cut wider",
    "cut-crop": "an end of the line is cut off: cut the crop with a margin, or shorten the label",
    "poor-picture": "smaller, fainter or more blurred than what is read: scan better, or leave it out",
    "rare-in-training": "characters that the training set hardly holds: make lines with them (targets.json)",
    "look-alike": "look-alikes: make lines in which only the context tells them apart (targets.json)",
    "misread": "the model read something else: train on it, and make more of the characters that fail",
}
# The picture shows what the label says, so that training on the line teaches something.
TRAINABLE: frozenset[Kind] = frozenset({"squeezed", "rare-in-training", "look-alike", "misread"})

# Lines with a character in training under which it is called rare (PaddleOCR's FAQ).
RARE_LINES = 200
# Pixels of width a time step, and how many steps are wanted for each that CTC needs at least.
STEP, STEPS = 8, 1.0
WIDEST = 2400

LOOK_ALIKES = (
    "0OoQDUОо〇○口回",
    "1lI|!iі丨ιｌ/\\]['`丶",
    "2Zzƻ",
    "3ЗзƷ8B",
    "5S$ѕ",
    "6Gb",
    "7Tт/1",
    "8B&S",
    "9gqo",
    "4A",
    "CcGС(<",
    "EeF",
    "KkX",
    "MNHW",
    "UuVv",
    "YyV",
    "nrmhн",
    "ftr",
    ".,;:·、。'`",
    "-_~—–一ー",
    "'`’‘\"“”",
    "([{【（",
    ")]}】）",
    "己已巳",
    "末未木本",
    "土士工",
    "人入八",
    "日曰目白",
    "大太犬",
    "干千于",
    "戊戌戍成",
    "贝见",
    "鸟乌",
    "天夭",
    "田由甲申",
    "刀力",
    "候侯",
    "徽微",
    "拔拨",
    "晴睛",
    "辨辩",
    "间问",
    "免兔",
    "今令",
    "埋理",
    "住往佳",
    "折拆",
    "巾中币",
    "石右古",
)
_GROUPS: dict[str, frozenset[int]] = {
    char: frozenset(n for n, group in enumerate(LOOK_ALIKES) if char in group)
    for char in {char for group in LOOK_ALIKES for char in group}
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What has to be known beside a line to name its failure.

    ``poor`` are the sharpness and contrast that nearly all lines read right exceed, None where unknown.
    ``marks`` is the direction in which marks differ by a rule of the labels ("": there is none).
    """

    charset: Charset | None = None
    train_lines: Counter[str] | None = None
    rare_lines: int = RARE_LINES
    max_text_length: int = 25
    poor: tuple[float, float] | None = None
    marks: str = ""


def kind_of(prediction: Prediction, charset: Charset | None = None) -> Kind | None:
    """The kind of failure from the texts alone, None for a line read exactly as labelled."""
    label, text = prediction.label, prediction.text
    if text == label:
        return None
    if text is None:
        return name_failure(Failed(prediction, 0), Setting(charset))
    one, other = fold_wide(label), fold_wide(text)
    steps = failed_steps(label, text, one, other, edits_of(one.text, other.text))
    pairs = tuple((step.expected, step.read) for step in steps)
    failed = Failed(prediction, 0, None, None, agree(label, text), one.text, other.text, pairs)
    return name_failure(failed, Setting(charset))


def name_failure(failed: Failed, setting: Setting, suspect: bool = False) -> Kind:
    """The kind of a line that was not read as labelled: the first of :data:`KINDS` that fits."""
    label = failed.prediction.label
    if failed.prediction.text is None:
        return "unreadable"
    if failed.agreed or _by_rule(failed.pairs, setting):
        return "rule-only"
    if setting.charset is not None and setting.charset.missing(label):
        return "not-in-dictionary"
    if suspect:
        return "label-suspect"
    found = _of_picture(label, failed.label, failed.text, failed.facts, setting)
    return found or _of_characters(failed.pairs, setting)


def _by_rule(pairs: Sequence[Pair], setting: Setting) -> bool:
    return bool(setting.marks) and only_marks(pairs) and direction_of(pairs) == setting.marks


def _of_picture(
    label: str, whole: str, part: str, facts: PictureFacts | None, setting: Setting
) -> Kind | None:
    if facts is not None and facts.height > 1.5 * facts.width and len(label) > 1:
        return "turned"
    if facts is not None and _dense(label, facts):
        return "squeezed"
    if _is_cut(whole, part, facts):
        return "cut-crop"
    if facts is not None and _is_poor(facts, setting.poor):
        return "poor-picture"
    return "squeezed" if len(label) > setting.max_text_length else None


def _dense(label: str, facts: PictureFacts) -> bool:
    steps = facts.width_at_48 / STEP
    return steps < STEPS * ctc_steps_needed([ord(char) for char in label]) or facts.width_at_48 > WIDEST


def _is_poor(facts: PictureFacts, limits: tuple[float, float] | None) -> bool:
    if facts.height < LEAST_HEIGHT:
        return True
    return limits is not None and (facts.sharpness < limits[0] or facts.contrast < limits[1])


def _is_cut(whole: str, part: str, facts: PictureFacts | None) -> bool:
    """Whether nothing fails but that an end of the (folded) label was not read.

    Ink has to touch that border; without the picture, two letters or digits have to be missing.
    """
    if not part or len(part) >= len(whole):
        return False
    at_start, at_end = whole.endswith(part), whole.startswith(part)
    if facts is not None:
        return (at_start and facts.ink_left) or (at_end and facts.ink_right)
    lost = whole[: -len(part)] if at_start else whole[len(part) :]
    return (at_start or at_end) and sum(map(str.isalnum, lost)) >= 2


def _of_characters(pairs: Sequence[Pair], setting: Setting) -> Kind:
    known = setting.train_lines
    if known is not None and any(known[char] < setting.rare_lines for char, _ in pairs if char):
        return "rare-in-training"
    if pairs and all(expected and read and alike(expected, read) for expected, read in pairs):
        return "look-alike"
    return "misread"


@lru_cache(maxsize=65536)
def alike(one: str, other: str) -> bool:
    """Whether two characters are easily taken for one another: a known group, or the same base letter.

    The picture of an upper case label may show lower case, so that either case of ``one`` will do.
    """
    return bool(_groups(one) & _groups(other)) or _base(one) == _base(other)


def _groups(char: str) -> frozenset[int]:
    empty: frozenset[int] = frozenset()
    return _GROUPS.get(char, empty) | _GROUPS.get(char.lower(), empty)


def _base(char: str) -> str:
    return unicodedata.normalize("NFKD", char)[:1].casefold()
