"""The registry of templates: name, language, what it makes, and the grammar that makes it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from datakit.errors import UsageError
from datakit_corpora import grammars, signs

Grammar = Callable[[Random], str]
MAX_LENGTH = 25


@dataclass(frozen=True, slots=True)
class Template:
    """``make`` draws one text of at most :data:`MAX_LENGTH` characters; ``language`` is ``en`` or ``zh``.

    ``weight``: where several templates are drawn from, how often this one comes, against the others' weights.
    """

    name: str
    language: str
    about: str
    make: Grammar
    weight: float = 1.0

    @property
    def examples(self) -> tuple[str, ...]:
        """Three texts, the same ones every time."""
        return tuple(self.make(Random(f"example:{self.name}:{number}")) for number in range(3))


# How common such lines are on forms, receipts and packages, against each other.
_WEIGHTS = {"chem-en": 0.4, "chem-zh": 0.4, "maths": 0.4, "plate-en": 0.5, "plate-zh": 0.5, "web-zh": 0.5}
_WEIGHTS |= {"item-en": 2.0, "item-zh": 2.0, "sum-en": 1.5, "sum-zh": 1.5, "unit-en": 1.5, "unit-zh": 1.5}


def _table(*rows: tuple[str, str, str, Grammar]) -> dict[str, Template]:
    return {
        name: Template(name, language, about, make, _WEIGHTS.get(name, 1.0))
        for name, language, about, make in rows
    }


TEMPLATES: dict[str, Template] = _table(
    ("date-en", "en", "dates of forms and packages", grammars.date_en),
    ("date-zh", "zh", "dates, Chinese headings and weekdays", grammars.date_zh),
    ("time", "en", "times of day, with and without a date", grammars.time_text),
    ("sum-en", "en", "sums in several currencies, with headings", grammars.sum_en),
    ("sum-zh", "zh", "sums in yuan, with headings", grammars.sum_zh),
    ("code-en", "en", "serial, order and lot numbers", grammars.code_en),
    ("code-zh", "zh", "the same under Chinese headings", grammars.code_zh),
    ("unit-en", "en", "measurements with units and tolerances", grammars.unit_en),
    ("unit-zh", "zh", "measurements in Chinese units or headings", grammars.unit_zh),
    ("address-en", "en", "lines of addresses", grammars.address_en),
    ("address-zh", "zh", "lines of Chinese addresses", grammars.address_zh),
    ("item-en", "en", "receipt lines: item, number, price", grammars.item_en),
    ("item-zh", "zh", "Chinese receipt lines", grammars.item_zh),
    ("plate-en", "en", "number plates in Latin letters", grammars.plate_en),
    ("plate-zh", "zh", "Chinese number plates", grammars.plate_zh),
    ("phone-en", "en", "telephone numbers", grammars.phone_en),
    ("phone-zh", "zh", "Chinese mobile and landline numbers", grammars.phone_zh),
    ("name-en", "en", "names of persons", grammars.name_en),
    ("name-zh", "zh", "Chinese names of persons", grammars.name_zh),
    ("invoice-en", "en", "invoice heads, terms, taxes, bank numbers", signs.invoice_en),
    ("invoice-zh", "zh", "lines of Chinese invoices, sums in cheque characters", signs.invoice_zh),
    ("web-en", "en", "e-mail addresses and URLs", signs.web_en),
    ("web-zh", "zh", "the same under Chinese headings", signs.web_zh),
    ("chem-en", "en", "chemical formulas, concentrations, reactions", signs.chem_en),
    ("chem-zh", "zh", "the same under Chinese names", signs.chem_zh),
    ("maths", "en", "equations, inequalities, angles", signs.maths),
)


def find_templates(names: tuple[str, ...] | list[str]) -> list[Template]:
    """Templates by name, in the order given; ``en`` and ``zh`` mean all of a language.

    ``NAME:WEIGHT`` gives a template (or every one of a language) another weight.

    Raises:
        UsageError: a name that does not exist; names the closest ones. A weight that is not above 0.
    """
    found: dict[str, Template] = {}
    for entry in names:
        name, _, weight = entry.partition(":")
        for template in _named(name):
            found.setdefault(template.name, _weighted(template, weight, entry) if weight else template)
    return list(found.values())


def _named(name: str) -> list[Template]:
    if name in TEMPLATES:
        return [TEMPLATES[name]]
    if name in {"en", "zh"}:
        return [template for template in TEMPLATES.values() if template.language == name]
    near = difflib.get_close_matches(name, TEMPLATES, n=3) or sorted(TEMPLATES)
    raise UsageError(f"there is no template {name!r}; there are {', '.join(near)}")


def _weighted(template: Template, weight: str, entry: str) -> Template:
    try:
        value = float(weight)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(f"template {entry!r}: the weight after the colon is a number above 0")
    return replace(template, weight=value)


def sample_template(name: str, count: int, *, seed: int = 0) -> list[str]:
    """``count`` texts of the template ``name``: the same ones for the same seed.

    Raises:
        UsageError: there is no such template.
    """
    template = find_templates((name,))[0]
    rng = Random(f"{seed}:{name}")
    return [template.make(rng) for _ in range(count)]
