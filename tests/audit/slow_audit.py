"""An audit of recognition labels that is slow and plain: every line parsed and checked alone, paths in a
dictionary. What the fast one has to equal; and label files that are hard to read right.
"""

from __future__ import annotations

import posixpath
import random
from collections import Counter

from datakit.audit.inspect import Piece, inspect_piece
from datakit.audit.pair_checks import PAIR_CHECKS, Pair
from datakit.audit.settings import Settings
from datakit.audit.tally import Tally
from datakit.labels import LabelFault, scan_rec

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def slow_audit(path, settings: Settings):
    """Totals, findings and text counts of a file; None for a file without a line."""
    entries = list(scan_rec(path))
    if not entries:
        return None
    tally = inspect_piece(Piece(0, str(path.parent), tuple(entries), settings, None))
    first, spelled = {}, {}
    for line in entries:
        if isinstance(line, LabelFault):
            continue
        name = posixpath.normpath(line.image)
        earlier = first.setdefault(name, line)
        if earlier is not line:
            for code, check in PAIR_CHECKS.items():
                for message in check.run(Pair(earlier, line)):
                    tally.find(code, line.file, line.line, message)
        if spelled.setdefault(name.translate(_LOWER), name) != name:
            tally.find("path-case", line.file, line.line, "")
    return tally


def found_by(tally: Tally):
    """(code, line, message) of all findings; the message of path-case is not compared."""
    return Counter(
        (code, hit.finding.line, "" if code == "path-case" else hit.finding.message)
        for code, hits in tally.hits.items()
        for hit in hits
    )


PATHS = (
    *("a.png", "b.png", "A.png", "./a.png", "x/../a.png", "x//a.png", "x/./a.png", "dir/", ".", "./", ".."),
    *('["a.png", "b.png"]', '["a"', "[06].png", '["a.png"]', '["/a", "b"]', "[]", '["\\ud800"]'),
    *("/root/a.png", "~/a.png", "C:\\a.png", "C:", "\\\\share\\a", "a\\b.png", "http://x/a.png", "../a.png"),
    *(
        "图片/甲.png",
        "图片/乙.png",
        "a b.png",
        "a.png ",
        " a.png",
        "\u3000a.png",
        "a\u00a0",
        "\u2003a",
        "\u00e9.png",
    ),
    *(
        "a" * 7,
        "a" * 8,
        "a" * 9,
        "abcdefgh/" * 3 + "1.png",
        "abcdefgh/" * 3 + "2.png",
        "",
        "\x85a",
        "a\u2028b",
    ),
    *("a\x00b", "a\rb", "a\x0bb", "a\x1fb", "\ufeffa.png", "\ufeff", "-", "a.png\\t", "a.jpg  b"),
)
TEXTS = (
    *("", " ", "  ", "a", "ab", "###", "*", "##", "####", "**", "a b", "a  b", " a", "a ", "  a  b  ", "   "),
    *("word", "WORD", "Word", "wor", "aabbcc", "llll", "aab\u2603baa", "\u2603", "\u2603\u2603", "a\u2603a"),
    *(
        "中文",
        "中文文",
        "，,",
        "（)",
        "ＡB",
        "e\u0301",
        "\u00e9",
        "\u1100\u1161",
        "\u0301",
        "A\u030a",
        "\u212b",
    ),
    *(
        "\u200b",
        "a\u200bb",
        "\u202ea",
        "\u3000",
        "a\u3000",
        "\u00a0",
        "a\u2009b",
        "\x07",
        "\x7f",
        "\x85",
        "\u2028",
    ),
    *(
        "\u0410bc",
        "Total\u0430",
        "caf\u00c3\u00a9",
        "\ufffd",
        "\ue000",
        "\ufdd0",
        "\U0001f600",
        "\U0001f600a",
        "&amp;",
    ),
    *(
        "\\n",
        "C:\\new",
        '"a,b"',
        '""',
        "İ",
        "Σας",
        "ß",
        "\x00",
        "a\x00",
        "\r",
        "a\rb",
        "\x1c",
        "\x0c",
        "0123456789",
    ),
    *(
        "a" * 23,
        "a" * 24,
        "a" * 25,
        "a" * 26,
        "ab" * 13,
        "ab" * 16,
        "a" * 32,
        "a" * 33,
        "中" * 40,
        "abc " * 30,
    ),
    *("[06]", '[{"transcription": "a", "points": [[1,2]]}]', "\ufeff", "\u01bb" * 4, "\u0149abc", "ǅabc"),
)
JUNK = (
    *(
        b"",
        b"\n",
        b"\r",
        b"\r\n",
        b" \n",
        b"\t",
        b"\t\n",
        b"\xff",
        b"\xc2",
        b"\xe4\xb8",
        b"\xed\xa0\x80",
        b"\xf0\x9f",
    ),
    *(
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x00",
        b"\xe2\x80\xa8",
        b"\xc2\x85",
        b"\xf4\x90\x80\x80",
        b"\xc0\xaf",
        b"\x80",
    ),
)


def random_line(rng: random.Random) -> bytes:
    """A line, whole more often than not, with its end."""
    end = rng.choice((b"\n",) * 8 + (b"\r\n",) * 3 + (b"", b"\r\r\n", b"\n\n"))
    parts = [rng.choice(PATHS), "\t", "".join(rng.choices(TEXTS, k=rng.choice((1, 1, 1, 2, 3))))]
    if rng.random() < 0.1:
        parts += ["\t", rng.choice(TEXTS)]
    if rng.random() < 0.05:
        parts.pop(1)
    return "".join(parts).encode("utf-8", "surrogatepass") + end


def random_file(rng: random.Random) -> bytes:
    """Some lines; half of the files then suffer a few changes of bytes."""
    data = bytearray(b"".join(random_line(rng) for _ in range(rng.randrange(1, 14))))
    if rng.random() < 0.1:
        data[:0] = b"\xef\xbb\xbf"
    for _ in range(rng.choice((0, 0, 0, 1, 2, 5))):
        place = rng.randrange(len(data) + 1)
        kind = rng.random()
        if kind < 0.4:
            data[place:place] = rng.choice(JUNK)
        elif kind < 0.7 and data:
            data[min(place, len(data) - 1)] = rng.randrange(256)
        else:
            del data[place : place + rng.randrange(4)]
    return bytes(data)
