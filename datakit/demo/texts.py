"""The texts of the demo's domain: data sheets with signs that PP-OCRv3 knows and hardly reads."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

# In the dictionary of PP-OCRv3, and read right in at most one of eight clean pictures
# (benchmarks/weak_signs.py).
SIGNS = "§®÷²≈‰"

_NOUNS = (
    "Frame",
    "Valve",
    "Cable",
    "Filter",
    "Panel",
    "Pump",
    "Cover",
    "Sensor",
    "Hose",
    "Lamp",
    "Relay",
    "Gasket",
)
_BRANDS = ("Norva", "Tellic", "Arbon", "Quist", "Meridol", "Sandvale", "Ostra", "Pellam")
_RULES = ("Clause", "Part", "Annex", "Section", "see", "under")


def _number(rng: random.Random) -> str:
    return f"{rng.randint(1, 999)}" if rng.random() < 0.5 else f"{rng.randint(1, 99)}.{rng.randint(0, 9)}"


def _law(rng: random.Random) -> str:
    return f"{rng.choice(_RULES)} § {rng.randint(2, 480)}"


def _brand(rng: random.Random) -> str:
    return f"{rng.choice(_BRANDS)}® {rng.choice(_NOUNS)} {rng.randint(10, 990)}"


def _division(rng: random.Random) -> str:
    return f"{rng.randint(11, 990)} ÷ {rng.randint(2, 40)}"


def _area(rng: random.Random) -> str:
    return f"{rng.choice(_NOUNS)} {_number(rng)} {rng.choice(('m²', 'cm²', 'mm²'))}"


def _about(rng: random.Random) -> str:
    return f"≈ {_number(rng)} {rng.choice(('kg', 'lm', 'mm', 'W', 'bar'))}"


def _per_mille(rng: random.Random) -> str:
    return f"{rng.choice(_NOUNS)} {_number(rng)} ‰"


def _plain(rng: random.Random) -> str:
    return f"{rng.choice(_NOUNS)} {rng.choice('ABCDEF')}{rng.randint(10, 9999)}"


_TEMPLATES: Mapping[str, Callable[[random.Random], str]] = {
    "§": _law,
    "®": _brand,
    "÷": _division,
    "²": _area,
    "≈": _about,
    "‰": _per_mille,
}
# Every third line has no sign.
_PERIOD = 3


def domain_texts(count: int, seed: str, taken: set[str]) -> tuple[str, ...]:
    """``count`` different texts, two thirds of them with a sign; none of ``taken``, which grows by them."""
    rng = random.Random(f"demo/{seed}")
    texts: list[str] = []
    while len(texts) < count:
        template = _plain if len(texts) % _PERIOD == 0 else _TEMPLATES[rng.choice(SIGNS)]
        text = template(rng)
        if text not in taken:
            taken.add(text)
            texts.append(text)
    return tuple(texts)


# Signs that the templates use and PP-OCRv3's dictionary lacks.
_NOT_IN_DICTIONARY = "£€"


def general_texts(count: int, seed: int, taken: set[str]) -> tuple[str, ...]:
    """``count`` different texts of other kinds (sums, dates, codes), without the signs of the domain."""
    from datakit_corpora import sample_template

    names = (
        "date-en",
        "time",
        "sum-en",
        "code-en",
        "address-en",
        "item-en",
        "plate-en",
        "phone-en",
        "name-en",
    )
    unwanted = set(SIGNS + _NOT_IN_DICTIONARY)
    pools = [sample_template(name, count * 3, seed=seed) for name in names]
    texts: list[str] = []
    for row in zip(*pools, strict=True):
        for text in row:
            if text not in taken and not set(text) & unwanted and len(texts) < count:
                taken.add(text)
                texts.append(text)
    return tuple(texts)
