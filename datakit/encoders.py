"""What PaddleOCR's label encoders do with a text: train it, cut it, or drop the line.

Behaviour of ``ppocr/data/imaug/label_ops.py`` (paddleocr 2.10.0), used by audit and trainer alike. The length
limit comes first and counts the text as labelled; then characters outside the dictionary are left out without
a word; the attention encoders then need two more places for their start and end.
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one text.

    ``text`` is what is trained ("" when dropped), ``cut`` the characters left out, one entry an occurrence.
    ``reason`` is "" when the text is trained as labelled, else a sentence.
    """

    kind: VerdictKind
    text: str
    cut: tuple[str, ...] = ()
    reason: str = ""


def encode_verdict(
    text: str, charset: Charset, *, encoder: str = "ctc", max_text_length: int = 25
) -> Verdict:
    """Say what PaddleOCR trains for ``text``.

    Raises:
        UsageError: an encoder that is none of :data:`RESERVED`.
    """
    if encoder not in RESERVED:
        raise UsageError(f"unknown encoder {encoder!r}: one of {', '.join(RESERVED)}")
    if not text:
        return Verdict("dropped", "", reason="the text is empty")
    if len(text) > max_text_length:
        return Verdict("dropped", "", reason=f"{len(text)} characters, over the limit of {max_text_length}")
    kept = "".join(char for char in text if char in charset)
    cut = tuple(char for char in text if char not in charset)
    if not kept:
        return Verdict("dropped", "", cut, "no character is in the dictionary")
    limit = max_text_length - RESERVED[encoder]
    if len(kept) > limit:
        reason = f"{len(kept)} characters, and the {encoder} encoder keeps at most {limit}"
        return Verdict("dropped", "", cut, reason)
    if cut:
        shown = "".join(dict.fromkeys(cut))
        return Verdict("cut", kept, cut, f"not in the dictionary and left out: {shown}")
    return Verdict("trained", kept)


def ctc_steps_needed(labels: Sequence[int]) -> int:
    """Time steps that CTC needs at least: one a label, and a blank between adjacent equal ones."""
    return len(labels) + sum(left == right for left, right in pairwise(labels))
