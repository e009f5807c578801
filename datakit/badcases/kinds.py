"""What kind of failure a line is; each kind has its own remedy."""

from __future__ import annotations

from typing import Literal

from datakit.charset import Charset
from datakit.metrics import fold
from datakit.records import Prediction

Kind = Literal["unreadable", "rule-only", "not-in-dictionary", "misread"]

KINDS: dict[Kind, str] = {
    "unreadable": "the picture or the line could not be read: mend the file",
    "rule-only": "only spaces or case differ: a rule of the labels, nothing to make new pictures for",
    "not-in-dictionary": "the dictionary lacks characters of the label: extend it, or correct the label",
    "misread": "the model read something else: train on it, and make more of the characters that fail",
}


def kind_of(prediction: Prediction, charset: Charset | None = None) -> Kind | None:
    """The kind of failure, None for a line read exactly as labelled; the first of :data:`KINDS` that fits."""
    if prediction.text is None:
        return "unreadable"
    if prediction.text == prediction.label:
        return None
    if fold(prediction.text) == fold(prediction.label):
        return "rule-only"
    if charset is not None and charset.missing(prediction.label):
        return "not-in-dictionary"
    return "misread"
