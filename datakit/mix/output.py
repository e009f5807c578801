"""A plan as files, as JSON, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from datakit.files import Manifest, write_manifest
from datakit.mix.lift import write_lifted
from datakit.mix.paddle import PaddleLists, write_paddleocr_lists
from datakit.mix.plan import Part, Plan
from datakit.mix.sources import load_mix, write_mix
from datakit.records import SCHEMA_VERSION
from datakit.report.text import shorten, visible

FAULTS_SHOWN = 5
CHARACTERS_SHOWN = 12


def parts_of(files: Iterable[Path], data_dir: Path | None) -> list[Part]:
    """Label files as parts of a plan; of a .yaml or .yml the sources, each with its own data_dir."""
    parts = []
    for file in files:
        if file.suffix.lower() in (".yaml", ".yml"):
            parts += [Part(source.label_file, source.data_dir) for source in load_mix(file).sources]
        else:
            parts.append(Part(file, data_dir))
    return parts


def write_plan(plan: Plan, out: Path, *, rule: str, allow_outside: bool = False) -> PaddleLists:
    """Write mix.yaml, paddleocr_train.yml, labels/, lifted/ (if any) and the manifest into ``out``.

    Raises:
        OutputError: a file cannot be written.
    """
    sources = plan.mix.sources
    given = sources[: len(sources) - len(plan.lifted)]
    manifest = Manifest.begin(
        "mix", {"rule": rule}, inputs=dict.fromkeys(source.label_file for source in given)
    )
    write_manifest(out, manifest)
    write_lifted(plan.lifted)
    write_mix(out / "mix.yaml", plan.mix)
    lists = write_paddleocr_lists(plan.mix, out, allow_outside=allow_outside)
    counts = {
        "sources": len(sources),
        "lines": sum(plan.lines),
        "draws": sum(plan.draws),
        "faults": len(plan.faults),
    }
    write_manifest(out, manifest.ended("done", counts))
    return lists


def plan_document(plan: Plan, lists: PaddleLists | None) -> dict[str, Any]:
    """The document of ``--json``; every faulty line is named."""
    sources = zip(plan.mix.sources, plan.roles, plan.lines, plan.draws, strict=True)
    return {
        "schema_version": SCHEMA_VERSION,
        "totals": {"lines": sum(plan.lines), "draws": sum(plan.draws), "faults": len(plan.faults)},
        "sources": [
            {
                "label_file": str(source.label_file),
                "data_dir": str(source.data_dir),
                "kind": source.kind,
                "role": role,
                "ratio": source.ratio,
                "lines": lines,
                "draws": draws,
            }
            for source, role, lines, draws in sources
        ],
        "findings": [
            {
                "code": f.code,
                "severity": "error",
                "file": f.file,
                "line": f.line,
                "message": f.message,
                "fix": "",
            }
            for f in plan.faults
        ],
        "notes": list(plan.notes),
        "shares": {role: round(share, 6) for role, share in plan.shares().items()},
        "characters": [
            {"char": row.char, "lines": row.lines, "before": _drawn(row.before), "after": _drawn(row.after)}
            for row in plan.characters
        ],
        "paddleocr": None
        if lists is None
        else {
            "config": str(lists.config),
            "label_file_list": lists.label_file_list,
            "ratio_list": lists.ratio_list,
        },
    }


def _drawn(value: float) -> float:
    """A mean number of draws to a tenth; a whole one as it is."""
    return int(value) if value == int(value) else round(value, 1)


def format_plan(plan: Plan, out: Path, lists: PaddleLists | None, batch_size: int = 32) -> str:
    """Draws of an epoch for each source and for the rarest characters, the mean batch of ``batch_size``, what
    was decided, and what to type next; ends with a newline."""
    rows = [*_table(plan), _batch(plan, batch_size), *_characters(plan)]
    notes = [f"note: {visible(note)}" for note in plan.notes]
    return "\n".join([*rows, *notes, *_faults(plan), *_next(out, lists)]) + "\n"


def _batch(plan: Plan, size: int) -> str:
    parts = ", ".join(f"{share * size:.1f} {role}" for role, share in plan.shares().items())
    return f"a batch of {size} holds on average {parts or 'nothing'}"


def _characters(plan: Plan) -> Iterator[str]:
    """The domain's characters that an epoch draws least."""
    shown = plan.characters[:CHARACTERS_SHOWN]
    if not shown:
        return
    yield f"characters of the domain: {len(plan.characters)}; those drawn least (lines, draws before, after):"
    for row in shown:
        yield f"  {visible(row.char):<4}{row.lines:>7}{_drawn(row.before):>9}{_drawn(row.after):>9}"


def _table(plan: Plan) -> Iterator[str]:
    total = sum(plan.draws)
    yield f"{'kind':<10}{'lines':>9}{'ratio':>10}{'draws':>9}{'share':>8}  label file"
    rows = zip(plan.mix.sources, plan.roles, plan.lines, plan.draws, strict=True)
    for source, role, lines, draws in rows:
        share = draws / total if total else 0.0
        name = visible(str(source.label_file))
        yield f"{role:<10}{lines:>9}{source.ratio:>10.4g}{draws:>9}{share:>8.1%}  {name}"
    yield f"{'an epoch':<10}{sum(plan.lines):>9}{'':>10}{total:>9}"


def _faults(plan: Plan) -> Iterator[str]:
    for fault in plan.faults[:FAULTS_SHOWN]:
        message = visible(shorten(fault.message, 100))
        yield f"  left out: {visible(fault.file)}:{fault.line} ({fault.code}) {message}"
    if len(plan.faults) > FAULTS_SHOWN:
        yield f"  ... {len(plan.faults)} in all, named in --json"


def _next(out: Path, lists: PaddleLists | None) -> Iterator[str]:
    if lists is None:
        yield "dry run: nothing was written"
    else:
        yield f"wrote {out}: mix.yaml, paddleocr_train.yml ({len(lists.ratio_list)} entries), labels/"
        yield f"next: datakit finetune --val VAL --out OUT --train {out / 'mix.yaml'}"
