"""Greedy CTC decoding."""

from __future__ import annotations

from collections.abc import Sequence

from datakit.charset import Charset


def greedy_decode(
    classes: Sequence[int], scores: Sequence[float], charset: Charset
) -> tuple[str, tuple[float, ...]]:
    """Collapse repeats, drop blanks (class 0).

    Args:
        classes: best class of every time step.
        scores: its probability, 0..1.
        charset: what the classes mean.

    Returns:
        The text and one probability a code point of it: the largest among the steps that were collapsed into
        it.
    """
    chars: list[str] = []
    char_scores: list[float] = []
    before = 0
    for label, score in zip(classes, scores, strict=True):
        if label != 0:
            if label == before:
                char_scores[-1] = max(char_scores[-1], score)
            else:
                chars.append(charset.chars[label - 1])
                char_scores.append(score)
        before = label
    text = "".join(chars)
    if len(text) == len(chars):
        return text, tuple(char_scores)
    # A dictionary entry of several code points: its score stands for each of them.
    spread = [score for char, score in zip(chars, char_scores, strict=True) for _ in char]
    return text, tuple(spread)
