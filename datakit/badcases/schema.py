"""The JSON schema of report.json (draft 2020-12)."""

from __future__ import annotations

from typing import Any

from datakit.badcases.kinds import KINDS
from datakit.records import SCHEMA_VERSION

_COUNT = {"type": "integer", "minimum": 0}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Any, **limits: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **limits}


def _or_null(kind: str) -> dict[str, Any]:
    return {"type": [kind, "null"]}


_INTERVAL = _object(value=_NUMBER, low=_NUMBER, high=_NUMBER)
_FAILURE = {
    "kind": {"enum": list(KINDS)},
    "file": _TEXT,
    "line": _COUNT,
    "image": _TEXT,
    "label": _TEXT,
    "text": _or_null("string"),
    "error": _or_null("string"),
    "score": _NUMBER,
    "suspicion": _or_null("number"),
}
_CHARACTER = _object(
    char=_TEXT,
    occurrences=_COUNT,
    lines=_COUNT,
    read=_COUNT,
    recall=_or_null("number"),
    precision=_or_null("number"),
    missed_lines=_COUNT,
    train_lines=_or_null("integer"),
)
_CONFUSION = _object(expected=_TEXT, read=_TEXT, count=_COUNT, occurrences=_COUNT, rate=_INTERVAL)
_SLICE = _object(
    axis=_TEXT,
    value=_TEXT,
    lines=_COUNT,
    exact=_COUNT,
    folded=_COUNT,
    accuracy=_SHARE,
    accuracy_folded=_SHARE,
    error_folded=_INTERVAL,
    cer=_NUMBER,
)
_PLACE = _object(characters=_COUNT, missed=_COUNT, rate=_INTERVAL)
_RULE = _object(
    rule=_TEXT,
    lines=_COUNT,
    agreed=_COUNT,
    share=_SHARE,
    directions={"type": "object", "additionalProperties": _COUNT},
    marks=_list(_TEXT),
    systematic={"type": "boolean"},
    sentence=_TEXT,
)
_CHANGE = _object(
    axis=_TEXT, value=_TEXT, lines=_COUNT, better=_COUNT, worse=_COUNT, change=_NUMBER, p_value=_SHARE
)
_CHANGED = _object(
    file=_TEXT, line=_COUNT, image=_TEXT, label=_TEXT, before=_or_null("string"), after=_or_null("string")
)
_COMPARISON = _object(
    lines=_COUNT,
    unpaired=_COUNT,
    folded=_CHANGE,
    exact=_CHANGE,
    cer=_INTERVAL,
    slices=_list(_CHANGE),
    better=_list(_CHANGED),
    worse=_list(_CHANGED),
)
_MEASURES = _object(
    exact=_INTERVAL, unspaced=_INTERVAL, folded=_INTERVAL, nfkc=_INTERVAL, cer=_INTERVAL, ned=_INTERVAL
)
_TOTALS = _object(
    lines=_COUNT,
    exact=_COUNT,
    exact_folded=_COUNT,
    edits=_COUNT,
    characters=_COUNT,
    unreadable=_COUNT,
    accuracy=_SHARE,
    accuracy_folded=_SHARE,
    cer=_NUMBER,
)
_TARGET = _object(
    char={"type": "string", "minLength": 1, "maxLength": 1},
    count=_COUNT,
    confused_with=_list(_TEXT),
    contexts=_list(_TEXT),
)
_COUNTS = {"type": "object", "additionalProperties": _COUNT}

REPORT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "datakit badcases report",
    **_object(
        schema_version={"const": SCHEMA_VERSION},
        totals=_TOTALS,
        measures=_MEASURES,
        kinds=_object(**dict.fromkeys(KINDS, _COUNT)),
        failures=_list(_object(**_FAILURE)),
        truncated={"type": "boolean"},
        characters=_list(_CHARACTER),
        clusters=_list(_object(cluster=_TEXT, occurrences=_COUNT, missed=_COUNT)),
        confusions=_list(_CONFUSION),
        confusions_as_labelled=_list(_CONFUSION),
        missing_from_dictionary=_COUNTS,
        slices=_list(_SLICE),
        places=_object(first=_PLACE, middle=_PLACE, last=_PLACE),
        worst_pages=_list(_SLICE),
        labelling_rules=_list(_RULE),
        suspects=_list(_object(**_FAILURE, reasons=_list(_TEXT)), maxItems=1000),
        targets=_list(_TARGET),
        length_shortfall=_COUNTS,
        space_shortfall=_COUNT,
        rule=_TEXT,
        notes=_list(_TEXT),
        comparison={"anyOf": [{"type": "null"}, _COMPARISON]},
    ),
}
