"""What the trainer does with a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datakit.audit.facts import Fate
from datakit.audit.pictures import Picture
from datakit.audit.settings import Settings
from datakit.charset import Charset
from datakit.encoders import Verdict, ctc_steps_needed, encode_verdict
from datakit.labels import RecLine

# The multi-head encoder trains a CTC head beside the attention.
CTC_ENCODERS = frozenset({"ctc", "multi"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """The fate of a line, the id of the check that says why it is lost ("" if it is not), and its target.

    ``steps`` is the number of CTC time steps the target needs, 0 for other encoders.
    """

    fate: Fate
    reason: str = ""
    target: str = ""
    cut: tuple[str, ...] = ()
    steps: int = 0


def _own_charset(text: str) -> Charset:
    """A dictionary that holds the whole text: without one, no character can be missing."""
    return Charset(tuple(sorted(set(text))))


def _dropped_because(trained: str, text: str, verdict: Verdict) -> str:
    """The check that says why: an empty label may still have a carriage return."""
    if not text:
        return "empty-label"
    return "not-in-dictionary" if len(verdict.cut) >= len(trained) else "over-limit"


def judge(line: RecLine, pictures: Sequence[Picture], settings: Settings) -> Judgement:
    """Decide as PaddleOCR's loader does: the picture is decoded first, then the text is encoded.

    Behind a byte order mark it finds no picture, and a carriage return before the newline belongs to the
    text.

    A line of several pictures is unreadable as soon as one is, since PaddleOCR picks one by chance.
    """
    if "bom" in line.notes:
        return Judgement("unreadable", "bom")
    broken = next((picture.fault for picture in pictures if picture.fault), "")
    if broken:
        return Judgement("unreadable", broken)
    text = line.trainer_text
    charset = settings.charset or _own_charset(text)
    verdict = encode_verdict(
        text,
        charset,
        encoder=settings.encoder,
        max_text_length=settings.max_text_length,
        lower=settings.lower and settings.charset is not None,
    )
    if verdict.kind == "dropped":
        return Judgement("dropped", _dropped_because(text, line.text, verdict))
    steps = ctc_steps_needed(charset.encode(verdict.text)) if settings.encoder in CTC_ENCODERS else 0
    if steps > settings.time_steps:
        return Judgement("never_learnable", "ctc-steps", verdict.text, verdict.cut, steps)
    return Judgement("cut" if verdict.kind == "cut" else "trained", "", verdict.text, verdict.cut, steps)
