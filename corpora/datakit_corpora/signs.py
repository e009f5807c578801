"""Grammars of signs: formulas of chemistry and mathematics, e-mail addresses, URLs, invoice heads."""

from __future__ import annotations

from random import Random

from datakit_corpora import words
from datakit_corpora.grammars import digits

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉"


def _lowered(number: int) -> str:
    return "".join(_LOWERED[int(digit)] for digit in str(number))


def _number(rng: Random) -> str:
    return str(rng.randint(1, 99)) if rng.random() < 0.7 else f"{rng.randint(0, 20)}.{rng.randint(1, 99)}"


def _formula(rng: Random) -> str:
    text = rng.choice(words.FORMULAS)
    # Plain digits are how most labels and packages print a formula.
    return text if rng.random() < 0.5 else text.translate(words.TO_LOWERED)


def chem_en(rng: Random) -> str:
    """A chemical formula, a concentration, or a reaction."""
    formula, other = _formula(rng), _formula(rng)
    return rng.choice(
        (
            formula,
            f"{formula} {rng.choice(('≥', '≤', '>', '<'))} {_number(rng)}%",
            f"{_number(rng)} {rng.choice(('mol/L', 'mg/L', 'g/mol', 'ppm', 'µg/m³'))} {formula}",
            f"pH {rng.randint(1, 13)}.{rng.randint(0, 9)}±0.{rng.randint(1, 5)}",
            f"{formula} + {other} → {rng.choice(words.PRODUCTS)}",
            f"c({formula}) = 0.{rng.randint(1, 99)} M",
            f"CAS {digits(rng, 4)}-{digits(rng, 2)}-{rng.randint(0, 9)}",
            f"{rng.choice(words.SUBSTANCES)} {_number(rng)}%",
        )
    )


def chem_zh(rng: Random) -> str:
    """The same under Chinese names."""
    formula = _formula(rng)
    substance = rng.choice(words.SUBSTANCES_ZH)
    return rng.choice(
        (
            f"{substance}({formula})",
            f"{substance}含量≥{_number(rng)}%",
            f"{substance}浓度:{_number(rng)}mg/L",
            f"分子式:{formula}",
            f"{substance} {_number(rng)}mol/L",
            f"纯度≥{rng.randint(90, 99)}.{rng.randint(0, 9)}%",
            f"PM2.5:{rng.randint(1, 500)}μg/m³",
        )
    )


def maths(rng: Random) -> str:
    """An equation, an inequality or a geometric statement."""
    x, y, n = rng.choice(words.UNKNOWNS), rng.choice("abcdk"), rng.randint(2, 9)
    left, right = _number(rng), _number(rng)
    return rng.choice(
        (
            f"{left} {rng.choice('×÷+-')} {right} = {_number(rng)}",
            f"{x}{_RAISED[n]} + {right}{x} = {left}",
            f"{x} {rng.choice('≤≥<>≈≠')} {right}",
            f"√{rng.randint(2, 99)} ≈ {rng.randint(1, 9)}.{rng.randint(100, 999)}",
            f"∠{rng.choice('ABC')}{rng.choice('OPQ')}{rng.choice('DEF')} = {rng.randint(10, 170)}°",
            f"({x}+{y}){_RAISED[n]} = {right}",
            f"sin {rng.randint(1, 89)}° = 0.{rng.randint(10, 99)}",
            f"{rng.randint(1, 9)}/{n} + {rng.randint(1, 9)}/{n + 3}",
            f"f({x}) = {left}{x} - {right}",
            f"π{x}² = {right}",
            f"Σ{x} = {left}, n = {rng.randint(2, 60)}",
            f"{x}{_lowered(rng.randint(1, 12))} ∈ [{n}, {n + rng.randint(1, 30)}]",
            f"Δ{x} = ±{right}",
        )
    )


def _handle(rng: Random) -> str:
    given, surname = rng.choice(words.GIVEN).lower(), rng.choice(words.SURNAMES).lower()
    return rng.choice(
        (f"{given[0]}.{surname}", f"{given}{rng.randint(1, 99)}", f"{given}_{surname[:4]}", given)
    )


def _domain(rng: Random) -> str:
    return f"{rng.choice(words.SITES)}.{rng.choice(words.ENDINGS)}"


def web_en(rng: Random) -> str:
    """An e-mail address or a URL."""
    site = _domain(rng)
    path = rng.choice(words.PATHS)
    texts = (
        f"{rng.choice(words.MAILBOXES)}@{site}",
        f"{_handle(rng)}@{site}",
        f"www.{site}",
        f"https://{site}",
        f"http://{site}/{path}",
        f"{site}/{path}?id={digits(rng, 3)}",
        f"E-mail: {rng.choice(words.MAILBOXES)}@{site}",
        f"@{_handle(rng)}",
        f"Web: {site}",
        f"ftp://{site}:{rng.choice((21, 8080, 2121))}",
    )
    return _fitting(rng, texts)


def web_zh(rng: Random) -> str:
    """The same under a Chinese heading."""
    site = _domain(rng)
    texts = (
        f"邮箱:{rng.choice(words.MAILBOXES)}@{site}",
        f"网址:www.{site}",
        f"官网:{site}",
        f"{digits(rng, 9)}@qq.{rng.choice(('com', 'cn'))}",
        f"电子邮件:{_handle(rng)}@{site}",
        f"微信号:{_handle(rng)}",
        f"请访问{site}",
        f"扫码关注@{_handle(rng)}",
    )
    return _fitting(rng, texts)


def _fitting(rng: Random, texts: tuple[str, ...]) -> str:
    return rng.choice([text for text in texts if len(text) <= 25])


def invoice_en(rng: Random) -> str:
    """A line of an invoice: heads of columns, terms, tax, totals."""
    amount = f"{rng.randint(1, 9)},{rng.randint(0, 999):03d}.{rng.randrange(100):02d}"
    return rng.choice(
        (
            f"{rng.choice(words.INVOICE_HEADS)}: {digits(rng, 6)}",
            f"VAT {rng.choice((5, 7, 10, 19, 20, 21))}%: {amount}",
            f"Qty {rng.randint(1, 500)} @ ${rng.randint(1, 99)}.{rng.randrange(100):02d}",
            f"{rng.choice(words.INVOICE_TERMS)}",
            f"{rng.choice(words.INVOICE_HEADS)} {digits(rng, 4)}/{rng.randint(10, 35)}",
            f"Subtotal (excl. tax) {rng.randint(1, 999)}",
            f"Discount -{rng.randint(1, 60)}%",
            f"IBAN {rng.choice(('DE', 'GB', 'FR', 'NL'))}{digits(rng, 2)} {digits(rng, 4)} {digits(rng, 4)}",
        )
    )


def invoice_zh(rng: Random) -> str:
    """A line of a Chinese invoice."""
    amount = f"{rng.randint(1, 99999)}.{rng.randrange(100):02d}"
    return rng.choice(
        (
            f"{rng.choice(words.INVOICE_HEADS_ZH)}:{digits(rng, 8)}",
            f"税率{rng.choice((1, 3, 6, 9, 13))}% 税额{amount}",
            f"价税合计(小写)¥{amount}",
            f"{rng.choice(words.GOODS_ZH)}*{rng.choice(words.ITEMS_ZH)}",
            f"价税合计(大写){_written(rng)}",
            f"{rng.choice(words.ITEMS_ZH)} {rng.randint(1, 99)}{rng.choice('个件箱台套')} ¥{amount}",
            f"{rng.choice(words.ROLES_ZH)}:{rng.choice(words.SURNAMES_ZH)}{rng.choice(words.GIVEN_ZH)}",
        )
    )


def _written(rng: Random) -> str:
    """A sum in the characters of cheques."""
    places = ("仟", "佰", "拾")
    count = rng.randint(1, 3)
    parts = [rng.choice("壹贰叁肆伍陆柒捌玖") + place for place in places[-count:]]
    return "".join(parts) + rng.choice("壹贰叁肆伍陆柒捌玖") + rng.choice(("圆整", "元整", "圆伍角"))
