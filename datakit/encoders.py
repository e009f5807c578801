"""What PaddleOCR's label encoders do with a text: train it, cut it, or drop the line.

Behaviour of ``ppocr/data/imaug/label_ops.py`` (paddleocr 2.10.0), used by audit and trainer alike; the tests
run that file beside this one. The length limit comes first and counts the text as labelled; then the text may
be lower-cased; then characters outside the dictionary are left out without a word; the attention encoders
then need two more places for their start and end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from datakit.charset import Charset
from datakit.errors import UsageError

VerdictKind = Literal["trained", "cut", "dropped"]

# Places of max_text_length that an encoder keeps for itself: what the dictionary leaves may have at most
# max_text_length - reserved characters. Multi is CTC and SAR (or NRTR), and drops what either drops.
RESERVED = {"ctc": 0, "sar": 2, "nrtr": 2, "multi": 2}

# What PaddleOCR trains without a character_dict_path: it lower-cases the text, and appends no space.
NO_DICTIONARY = Charset(tuple("0123456789abcdefghijklmnopqrstuvwxyz"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one text.

    ``text`` is what is trained ("" when dropped), ``cut`` the characters left out, one entry an occurrence
    (of the lower-cased text where the encoder lower-cases). ``reason`` is "" when the text is trained as
    labelled, else a sentence.
    """

    kind: VerdictKind
    text: str
    cut: tuple[str, ...] = ()
    reason: str = ""


def encode_verdict(
    text: str, charset: Charset, *, encoder: str = "ctc", max_text_length: int = 25, lower: bool = False
) -> Verdict:
    """Say what PaddleOCR trains for ``text``, the field after the tab with a carriage return if it has one.

    ``lower`` is what PaddleOCR does without a ``character_dict_path`` (see :data:`NO_DICTIONARY`), and only
    then.

    Raises:
        UsageError: an encoder that is none of :data:`RESERVED`.
    """
    if encoder not in RESERVED:
        raise UsageError(f"unknown encoder {encoder!r}: one of {', '.join(RESERVED)}")
    if not text:
        return Verdict("dropped", "", reason="the text is empty")
    if len(text) > max_text_length:
        return Verdict("dropped", "", reason=f"{len(text)} characters, over the limit of {max_text_length}")
    written = text.lower() if lower else text
    kept = "".join(char for char in written if char in charset)
    cut = tuple(char for char in written if char not in charset)
    if not kept:
        return Verdict("dropped", "", cut, "no character is in the dictionary")
    reserved = RESERVED[encoder]
    # Without reserved places nobody counts again, though lower case may be longer than the text.
    if reserved and len(kept) > max_text_length - reserved:
        limit = max(0, max_text_length - reserved)
        reason = f"{len(kept)} characters, and the {encoder} encoder keeps at most {limit}"
        return Verdict("dropped", "", cut, reason)
    if cut:
        shown = "".join(dict.fromkeys(cut))
        return Verdict("cut", kept, cut, f"not in the dictionary and left out: {shown}")
    return Verdict("trained", kept, reason="" if kept == text else "trained in lower case")


def ctc_steps_needed(labels: Sequence[int]) -> int:
    """Time steps that CTC needs at least: one a label, and a blank between adjacent equal ones."""
    return len(labels) + sum(left == right for left, right in pairwise(labels))
