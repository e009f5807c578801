"""datakit audit: what is in these label files, and what will the trainer really do with every line?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datakit.errors import UsageError

if TYPE_CHECKING:
    from datakit.audit.beside import Beside
    from datakit.audit.delivery import Places, Wanted
    from datakit.audit.inputs import Inputs, Request
    from datakit.audit.report import AuditReport
    from datakit.audit.tally import Hit
    from datakit.records import Severity


def _shape(text: str) -> tuple[int, int, int]:
    try:
        channels, height, width = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--image-shape {text!r} is not channels,height,width, such as 3,48,320") from error
    return channels, height, width


def _print_checks(output: str) -> None:
    from datakit.audit import CHECKS

    names = ("severity", "question", "rationale", "fix")
    listed = [{"code": c} | {name: getattr(check, name) for name in names} for c, check in CHECKS.items()]
    if output == "json":
        typer.echo(json.dumps({"schema_version": 1, "checks": listed}, ensure_ascii=False))
        return
    for check in listed:
        typer.echo(
            f"{check['code']} ({check['severity']})\n  {check['question']}\n  {check['rationale']}\n"
            f"  Fix: {check['fix']}."
        )


def audit(
    *,
    labels: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LABELS...",
            help="PaddleOCR label files, PPOCRLabel's Label.txt, LMDB folders; - is stdin.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "-c", "--config", help="PaddleOCR YAML: labels, ratios, dictionary, encoder, limit, shape."
        ),
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("-o", "--override", help="Key.sub=value over the YAML; repeatable.")
    ] = None,
    dict_: Annotated[
        Path | None, typer.Option("--dict", help="The model's dictionary; none: not checked.")
    ] = None,
    use_space_char: Annotated[
        bool | None,
        typer.Option(
            "--use-space-char/--no-use-space-char", help="Add a space to the dictionary; default: yes."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Root of the picture paths; default: the file's folder.")
    ] = None,
    ratio: Annotated[
        list[float] | None,
        typer.Option(help="Share of the lines an epoch draws: one for all files, or one each, repeated."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="What a label file is in the mix: domain, general, synthetic or badcases; one for all, or "
            "one each, repeated."
        ),
    ] = None,
    val: Annotated[
        list[str] | None,
        typer.Option(help="Validation labels: what of them stands in the training set too; repeatable."),
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(help="Label files of real pictures to compare the set with; repeatable."),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="What a model read of these lines: labels that are probably wrong; repeatable."),
    ] = None,
    new_dict: Annotated[
        bool, typer.Option("--new-dict", help="The dictionary is not that of the weights to start from.")
    ] = False,
    task: Annotated[str | None, typer.Option(help="rec or det; default: what the file looks like.")] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Label encoder: ctc, sar, nrtr or multi; default: ctc.")
    ] = None,
    max_text_length: Annotated[
        int | None, typer.Option(help="The trainer's limit in characters; default: 25.")
    ] = None,
    image_shape: Annotated[
        str | None, typer.Option(help="The trainer's channels,height,width; default: 3,48,320.")
    ] = None,
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="Open and decode every picture.")
    ] = True,
    copies: Annotated[
        bool, typer.Option("--copies/--no-copies", help="Search for pictures that are there twice or nearly.")
    ] = True,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures.")] = None,
    format_: Annotated[
        str, typer.Option("--format", help="text, json, jsonl (every finding) or github (annotations).")
    ] = "text",
    json_: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    fix: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Write a mended copy, its changes to OUT.changes.jsonl; of several files: OUT is a folder. "
            "Paths stay as they are.",
        ),
    ] = None,
    clean: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT", help="Write the lines that are trained, cut ones included; OUT as for --fix."
        ),
    ] = None,
    drop_cut: Annotated[
        bool, typer.Option("--drop-cut", help="Leave lines with characters cut out of --clean too.")
    ] = False,
    dropped: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="List the lines that --clean leaves out, with reasons."),
    ] = None,
    fail_on: Annotated[
        str, typer.Option(help="Exit 1 from this severity on: error, warning or info.")
    ] = "error",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    list_checks: Annotated[
        bool, typer.Option("--list-checks", help="List all checks (also as --json) and exit.")
    ] = False,
) -> None:
    """Say for every line of label files what the trainer will do with it, and find what spoils training."""
    severity = _severity(fail_on)
    output = _format(format_, json_)
    if list_checks:
        _print_checks(output)
        return
    if task not in (None, "rec", "det"):
        raise UsageError(f"--task {task!r} is not known; known are rec, det")

    from datakit.audit.delivery import Wanted
    from datakit.audit.inputs import Request, resolve
    from datakit.files import require_writable

    if html:
        require_writable(html)
    request = Request(
        tuple(labels or ()),
        data_dir,
        "rec" if task == "rec" else "det" if task == "det" else None,
        tuple(ratio or ()),
        config,
        tuple(override or ()),
        dict_,
        use_space_char,
        encoder,
        max_text_length,
        _shape(image_shape) if image_shape is not None else None,
        tuple(role or ()),
        tuple(val or ()),
        tuple(reference or ()),
        tuple(predictions or ()),
        new_dict,
    )
    inputs = resolve(request)
    wanted = Wanted(fix, clean, dropped, drop_cut)
    report = _run(
        inputs,
        wanted,
        output,
        request=request,
        images=images,
        copies=copies,
        allow_outside=allow_outside,
        workers=workers,
    )
    if html:
        from datakit.audit.page import html_report
        from datakit.files import atomic_write

        page = html_report(report, charset=inputs.trainer.charset, allow_outside=allow_outside)
        atomic_write(html, page)
        typer.echo(f"datakit: wrote {html}", err=True)
    _print(report, output, page=html is not None)
    if report.fails_on(severity):
        raise typer.Exit(1)


def _severity(name: str) -> Severity:
    from datakit.records import SEVERITIES

    for severity in SEVERITIES:
        if severity == name:
            return severity
    raise UsageError(f"--fail-on {name!r} is not known; known are {', '.join(SEVERITIES)}")


def _format(name: str, json_: bool) -> str:
    from datakit.audit.formats import FORMATS

    if name not in FORMATS:
        raise UsageError(f"--format {name!r} is not known; known are {', '.join(FORMATS)}")
    if json_ and name not in ("text", "json"):
        raise UsageError(f"--json and --format {name}: one of them")
    return "json" if json_ else name


def _run(
    inputs: Inputs,
    wanted: Wanted,
    output: str,
    *,
    request: Request,
    **options: Any,
) -> AuditReport:
    """Audit, then write what is wanted; findings of jsonl are printed as they come."""
    from dataclasses import replace

    from datakit.audit import audit as run
    from datakit.audit.delivery import places
    from datakit.audit.lost import LostLines

    where = places(wanted, inputs.sources)
    lost = [LostLines() for _ in inputs.sources]
    beside, notes = _beside(inputs, request, options)
    report = run(
        inputs.sources,
        charset=inputs.trainer.charset,
        encoder=inputs.trainer.encoder,
        max_text_length=inputs.trainer.max_text_length,
        image_shape=inputs.trainer.image_shape,
        lower=inputs.trainer.lower,
        progress=True,
        beside=beside,
        sink=_print_finding if output == "jsonl" else None,
        lost=(lambda number, *line: lost[number].record(*line)) if wanted.lost_lines else None,
        **options,
    )
    _deliver(inputs, wanted, where, report, lost)
    return replace(report, notes=(*inputs.notes, *notes, *report.notes), command=request.command())


def _beside(inputs: Inputs, request: Request, options: dict[str, Any]) -> tuple[Beside, list[str]]:
    """What the set is held against, and what is to be said about it."""
    from datakit.audit import audit as run
    from datakit.audit.beside import Beside
    from datakit.audit.readings import weigh
    from datakit.badcases.inputs import Unmatched, join_labels

    reference = readings = None
    if inputs.reference:
        of_reference = run(inputs.reference, progress=True, **{**options, "copies": False})
        reference = (of_reference.stats, of_reference.pictures)
    unmatched = Unmatched()
    if request.predictions:
        files = [Path(source.file) for source in inputs.sources if source.kind == "lines"]
        if not files or any(str(file) == "-" for file in files):
            raise UsageError("--predictions are joined with label files: not with stdin or an LMDB set")
        readings = weigh(join_labels(request.predictions, files, unmatched))
    left = len(unmatched.sentences)
    first = unmatched.sentences[0] if left else ""
    notes = [f"--predictions: {left} lines or readings without a partner, the first: {first}"]
    return Beside(reference, readings, request.new_dictionary, inputs.val), notes if left else []


def _print_finding(hit: Hit) -> None:
    from datakit.audit.formats import finding_line

    typer.echo(finding_line(hit.finding), nl=False)


def _deliver(inputs: Inputs, wanted: Wanted, where: Places, report: AuditReport, lost: list[Any]) -> None:
    from datakit.audit.clean import Audited
    from datakit.audit.delivery import deliver

    audited = [
        Audited(source, file.totals.lines, marks)
        for source, file, marks in zip(inputs.sources, report.files, lost, strict=True)
    ]
    for sentence in deliver(wanted, where, audited, inputs.trainer.charset):
        typer.echo(f"datakit: {sentence}", err=True)


def _print(report: AuditReport, output: str, *, page: bool) -> None:
    if output == "json":
        json.dump(report.to_dict(), sys.stdout, ensure_ascii=False, indent=1)
        typer.echo()
    elif output == "github":
        from datakit.audit.formats import github_lines

        for line in github_lines(report.findings):
            typer.echo(line, nl=False)
    elif output == "text":
        from datakit.audit.terminal import format_report

        typer.echo(format_report(report, page=page), nl=False)
    else:
        totals = report.totals
        typer.echo(
            f"datakit: {totals.lines} lines, {totals.kept} trained, {sum(report.counts.values())} findings",
            err=True,
        )
