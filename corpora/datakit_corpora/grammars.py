"""The grammars: each draws one text from a ``random.Random`` and nothing else.

Every text is printable, without spaces at its ends and without runs of spaces, at most 25 characters long.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from datakit_corpora import words

_FIRST_DAY = date(1995, 1, 1)
_DAYS = 365 * 40


def digits(rng: Random, count: int) -> str:
    """``count`` decimal digits; the first is not 0."""
    return "".join([rng.choice("123456789"), *(rng.choice(words.DIGITS) for _ in range(count - 1))][:count])


def _day(rng: Random) -> date:
    return _FIRST_DAY + timedelta(days=rng.randrange(_DAYS))


def _labelled(
    rng: Random, labels: tuple[str, ...], text: str, *, joint: str = " ", share: float = 0.35
) -> str:
    return f"{rng.choice(labels)}{joint}{text}" if rng.random() < share else text


def date_en(rng: Random) -> str:
    """A date as forms and packages print it."""
    day = _day(rng)
    month = words.MONTHS[day.month - 1]
    text = rng.choice(
        (
            f"{day:%d/%m/%Y}",
            f"{day:%Y-%m-%d}",
            f"{day:%d.%m.%y}",
            f"{day:%m/%d/%y}",
            f"{day.day} {month[:3]} {day.year}",
            f"{month} {day.day}, {day.year}",
            f"{day.day:02d}{month[:3].upper()}{day.year}",
            f"{words.WEEKDAYS[day.weekday()]} {day.day} {month[:3]}",
        )
    )
    return _labelled(rng, words.DATE_LABELS, text) if len(text) <= 12 else text


def date_zh(rng: Random) -> str:
    """A date, sometimes with its Chinese heading or weekday."""
    day = _day(rng)
    text = rng.choice(
        (
            f"{day.year}年{day.month}月{day.day}日",
            f"{day:%Y年%m月%d日}",
            f"{day:%Y-%m-%d}",
            f"{day:%Y.%m.%d}",
            f"{day.month}月{day.day}日 星期{words.WEEKDAYS_ZH[day.weekday()]}",
            f"{day:%Y/%m/%d}",
        )
    )
    return _labelled(rng, words.DATE_LABELS_ZH, text, joint="")


def time_text(rng: Random) -> str:
    """A time of day, 12 or 24 hours, with or without a date."""
    hour, minute, second = rng.randrange(24), rng.randrange(60), rng.randrange(60)
    half = "AM" if hour < 12 else "PM"
    return rng.choice(
        (
            f"{hour:02d}:{minute:02d}",
            f"{hour:02d}:{minute:02d}:{second:02d}",
            f"{hour % 12 or 12}:{minute:02d} {half}",
            f"{_day(rng):%d/%m/%Y} {hour:02d}:{minute:02d}",
            f"{_day(rng):%Y-%m-%d} {hour:02d}:{minute:02d}:{second:02d}",
        )
    )


def _amount(rng: Random, *, cents: bool = True) -> str:
    value = int(10 ** rng.uniform(0, 5.5))
    whole = f"{value:,}" if rng.random() < 0.5 else str(value)
    return f"{whole}.{rng.randrange(100):02d}" if cents else whole


def sum_en(rng: Random) -> str:
    """A sum of money with a currency sign or code, sometimes with its heading."""
    amount = _amount(rng)
    text = rng.choice(
        (
            f"${amount}",
            f"£{amount}",
            f"€{amount}",
            f"{amount} €",
            f"USD {amount}",
            f"RM {amount}",
            f"{amount}",
            f"-{amount}",
            f"EUR {amount}",
            f"{amount} GBP",
        )
    )
    return _labelled(rng, words.SUM_LABELS, text, share=0.5) if len(text) <= 12 else text


def sum_zh(rng: Random) -> str:
    """A sum in yuan."""
    text = rng.choice(
        (
            f"¥{_amount(rng)}",
            f"{_amount(rng)}元",
            f"￥{_amount(rng)}",
            f"{_amount(rng, cents=False)}元整",
            f"人民币{_amount(rng)}元",
        )
    )
    return _labelled(rng, words.SUM_LABELS_ZH, text, joint="", share=0.5)


def _letters(rng: Random, count: int) -> str:
    return "".join(rng.choice(words.PLATE_LETTERS) for _ in range(count))


def _code(rng: Random) -> str:
    return rng.choice(
        (
            f"{_letters(rng, 2)}{digits(rng, 6)}",
            f"{_letters(rng, 3)}-{digits(rng, 4)}-{_letters(rng, 1)}",
            f"{digits(rng, 4)}-{digits(rng, 4)}-{digits(rng, 4)}",
            f"{_letters(rng, 1)}{digits(rng, 9)}",
            f"{digits(rng, 8)}",
            f"{_letters(rng, 2)}/{digits(rng, 2)}/{digits(rng, 5)}",
            f"{digits(rng, 2)}{_letters(rng, 2)}.{digits(rng, 3)}",
            f"#{digits(rng, 5)}",
            f"{rng.getrandbits(40):010X}",
        )
    )


def code_en(rng: Random) -> str:
    """A serial, order or lot number."""
    return _labelled(rng, words.CODE_LABELS, _code(rng))


def code_zh(rng: Random) -> str:
    """The same under a Chinese heading."""
    return _labelled(rng, words.CODE_LABELS_ZH, _code(rng), joint="", share=0.7)


def _number(rng: Random) -> str:
    return rng.choice(
        (
            digits(rng, rng.randint(1, 4)),
            f"{rng.randrange(100)}.{rng.randrange(100):02d}",
            f"{rng.randrange(1000)}.{rng.randrange(10)}",
            f"-{rng.randint(1, 60)}",
            f"{rng.randint(1, 50)}-{rng.randint(51, 200)}",
        )
    )


def unit_en(rng: Random) -> str:
    """A measurement: number and unit."""
    text = f"{_number(rng)}{rng.choice(('', ' '))}{rng.choice(words.UNITS)}"
    if rng.random() < 0.2:
        text = f"{text} ±{rng.randint(1, 9)}%"
    return _labelled(rng, words.QUANTITIES, text)


def unit_zh(rng: Random) -> str:
    """A measurement in Chinese units or with a Chinese heading."""
    unit = rng.choice(words.UNITS_ZH if rng.random() < 0.6 else words.UNITS)
    return _labelled(rng, words.QUANTITIES_ZH, f"{_number(rng)}{unit}", joint="", share=0.6)


def address_en(rng: Random) -> str:
    """One line of an address."""
    town, postcode = rng.choice(words.TOWNS), digits(rng, 5)
    return rng.choice(
        (
            f"{rng.randint(1, 299)} {rng.choice(words.STREETS)}",
            f"{town}, {rng.choice(words.REGIONS)} {postcode}",
            f"Unit {rng.randint(1, 40)}, {rng.choice(words.STREETS)}",
            f"P.O. Box {digits(rng, 4)}, {town}",
            f"{postcode} {town}",
            f"Lot {rng.randint(1, 90)}, {town}",
        )
    )


def address_zh(rng: Random) -> str:
    """One line of a Chinese address."""
    road = f"{rng.choice(words.ROADS_ZH)}{rng.randint(1, 999)}号"
    return rng.choice(
        (
            f"{rng.choice(words.CITIES_ZH)}{rng.choice(words.DISTRICTS_ZH)}{road}",
            f"{road}{rng.randint(1, 30)}栋{rng.randint(101, 2804)}室",
            f"{rng.choice(words.DISTRICTS_ZH)}{road}",
            f"邮编:{digits(rng, 6)}",
            f"地址:{rng.choice(words.CITIES_ZH)}{road}",
        )
    )


def _price(rng: Random) -> str:
    return f"{rng.randint(0, 199)}.{rng.choice(('00', '50', '90', '99', f'{rng.randrange(100):02d}'))}"


def item_en(rng: Random) -> str:
    """A line of a receipt."""
    item = rng.choice(words.ITEMS)
    item = item.upper() if rng.random() < 0.5 else item
    return rng.choice(
        (
            f"{item} {_price(rng)}",
            f"{rng.randint(1, 12)} x {item}",
            f"{rng.randint(1, 9)} {item}",
            item,
            f"{rng.randint(1, 9)} @ {_price(rng)}",
            f"{rng.randint(1, 9)} x {_price(rng)}",
        )
    )


def item_zh(rng: Random) -> str:
    """A line of a Chinese receipt."""
    item = rng.choice(words.ITEMS_ZH)
    return rng.choice(
        (
            f"{item} {_price(rng)}",
            f"{item}x{rng.randint(1, 9)}",
            f"{item} {rng.randint(1, 9)}份",
            item,
            f"{item}({rng.choice(('大', '中', '小', '促'))}) {_price(rng)}",
        )
    )


def plate_en(rng: Random) -> str:
    """A number plate in Latin letters."""
    return rng.choice(
        (
            f"{_letters(rng, 2)}{digits(rng, 2)} {_letters(rng, 3)}",
            f"{_letters(rng, 3)} {digits(rng, 4)}",
            f"{_letters(rng, 1)} {digits(rng, 4)} {_letters(rng, 2)}",
            f"{digits(rng, 1)}{_letters(rng, 3)}{digits(rng, 3)}",
        )
    )


def plate_zh(rng: Random) -> str:
    """A Chinese number plate, with the dot or without."""
    tail = "".join(rng.choice(words.DIGITS if rng.random() < 0.7 else words.PLATE_LETTERS) for _ in range(5))
    head = rng.choice(words.PROVINCES_ZH) + rng.choice(words.PLATE_LETTERS)
    return f"{head}{rng.choice(('', '·'))}{tail}"


def phone_en(rng: Random) -> str:
    """A telephone number."""
    number = rng.choice(
        (
            f"+{rng.randint(1, 99)} {digits(rng, 3)} {digits(rng, 3)} {digits(rng, 4)}",
            f"({digits(rng, 3)}) {digits(rng, 3)}-{digits(rng, 4)}",
            f"0{digits(rng, 2)}-{digits(rng, 7)}",
            f"1-800-{digits(rng, 3)}-{digits(rng, 4)}",
        )
    )
    return _labelled(rng, ("Tel:", "Fax:", "TEL", "Ph."), number)


def phone_zh(rng: Random) -> str:
    """A Chinese mobile or landline number."""
    mobile = f"1{rng.choice('3456789')}{digits(rng, 9)}"
    number = rng.choice(
        (mobile, f"0{digits(rng, 2)}-{digits(rng, 8)}", f"400-{digits(rng, 3)}-{digits(rng, 4)}")
    )
    return _labelled(rng, ("电话:", "手机:", "联系电话:", "客服热线"), number, joint="", share=0.6)


def name_en(rng: Random) -> str:
    """A person's name."""
    given, surname = rng.choice(words.GIVEN), rng.choice(words.SURNAMES)
    return rng.choice(
        (f"{given} {surname}", f"{surname}, {given}", f"{given[0]}. {surname}", f"Cashier: {given}")
    )


def name_zh(rng: Random) -> str:
    """A person's name, sometimes under its heading."""
    name = rng.choice(words.SURNAMES_ZH) + "".join(
        rng.choice(words.GIVEN_ZH) for _ in range(rng.randint(1, 2))
    )
    return _labelled(rng, ("姓名:", "收银员:", "经办人:", "联系人:", "收货人:"), name, joint="", share=0.5)
