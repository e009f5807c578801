"""``datakit finetune``: fine-tune a recogniser on a mix, or by a PaddleOCR recipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datakit.errors import UsageError

if TYPE_CHECKING:
    from datakit_train.job import Job
    from datakit_train.ranks import Ranks
    from datakit_train.result import Result

# Flags that are no part of what is trained.
_ABOUT_THE_COMMAND = {
    "recipe", "override", "more", "task", "threads", "resume", "dry_run", "allow_outside", "json_",
    "overfit_one_batch", "batch_norm", "average", "augment", "aug_prob", "devices",
}  # fmt: skip


def _given(context: typer.Context) -> dict[str, Any]:
    """What stands on the command line, without defaults."""
    given = {
        name: value
        for name, value in context.params.items()
        if (source := context.get_parameter_source(name)) is not None and source.name != "DEFAULT"
    }
    flags = {name: value for name, value in given.items() if name not in _ABOUT_THE_COMMAND}
    if "batch_norm" in given:
        flags["fixed_batch_norm"] = given["batch_norm"] == "fixed"
    if "average" in given:
        flags["shares"] = tuple(share for share in given["average"] if share > 0)
    if "distill_on" in given:
        flags["distill_on"] = str(given["distill_on"])
    if "augment" in given:
        flags["augment"] = given["augment"] == "recaug"
    if "aug_prob" in given:
        flags["aug_prob"] = given["aug_prob"]
    return flags


def finetune(
    context: typer.Context,
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Further values of -o.")
    ] = None,
    train: Annotated[
        list[Path] | None, typer.Option(help="mix.yaml, labels, LMDB or Parquet; repeatable.")
    ] = None,
    val: Annotated[Path | None, typer.Option(help="Label file of the domain; picks the best model.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Output folder; an unfinished run in it is gone on with.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option("-c", "--config", help="PaddleOCR recipe (YAML); flags win over it.")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("-o", help="Key.sub=value over the recipe's; several may follow.")
    ] = None,
    guard: Annotated[
        list[Path] | None, typer.Option(help="Label file of what must not be forgotten; repeatable.")
    ] = None,
    pretrained: Annotated[
        str, typer.Option(help="Model name, checkpoint folder, or .pdparams file with its --dict.")
    ] = "ppocrv3-rec",
    dictionary: Annotated[
        Path | None, typer.Option("--dict", help="Another dictionary; the space is added to it.")
    ] = None,
    dict_mode: Annotated[
        str, typer.Option(help="fail if the dictionary differs, union of both, or the new one.")
    ] = "fail",
    submodel: Annotated[
        str | None, typer.Option(help="Of a distillation recipe, the one to train; default: Student.")
    ] = None,
    task: Annotated[str, typer.Option(help="rec (det comes later).")] = "rec",
    steps: Annotated[int | None, typer.Option(min=1, help="Optimizer steps; overrides --epochs.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the mix.")] = 10,
    batch_size: Annotated[int, typer.Option(min=1, help="Lines a step.")] = 32,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Highest rate; default: the guide's 1e-4 at batch 128, scaled to the batch."),
    ] = None,
    schedule: Annotated[str, typer.Option(help="cosine, piecewise, linear or constant.")] = "cosine",
    warmup_steps: Annotated[
        int | None, typer.Option(min=0, help="Default: a twentieth of the steps.")
    ] = None,
    replay: Annotated[
        list[Path] | None,
        typer.Option(help="Label file of general lines, mixed in about 1:1 as the guide says; repeatable."),
    ] = None,
    distill: Annotated[
        float, typer.Option(min=0, help="Weight of staying near the base model's answers; 1: as the labels.")
    ] = 0.0,
    distill_on: Annotated[
        Path | None,
        typer.Option(help="Its pictures: label file, folder or mix.yaml; default: each batch's own."),
    ] = None,
    layer_decay: Annotated[
        float, typer.Option(help="Each layer's rate is so many times that of the one behind it.")
    ] = 1.0,
    freeze: Annotated[str, typer.Option(help="none or backbone.")] = "none",
    batch_norm: Annotated[str, typer.Option(help="fixed (keep the running statistics) or moving.")] = "fixed",
    average: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of the tuned weights in an average to try; repeatable.",
        ),
    ] = None,
    augment: Annotated[str, typer.Option(help="recaug (PaddleOCR's RecAug) or none.")] = "recaug",
    aug_prob: Annotated[
        float, typer.Option(min=0, max=1, help="Probability of each of RecAug's effects.")
    ] = 0.4,
    amp: Annotated[str, typer.Option(help="off, float16 or bfloat16: mixed precision, for GPUs.")] = "off",
    devices: Annotated[
        str | None,
        typer.Option(help="GPUs by number (0,1), or cpu; a process each, with --batch-size lines each."),
    ] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(min=1, help="Steps between scores; default: only before and after.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many scores without a better one.")
    ] = None,
    max_forget: Annotated[float, typer.Option(min=0, help="Share of a guard set that may be lost.")] = 0.005,
    max_text_length: Annotated[int, typer.Option(min=1, help="Longer labels do not train.")] = 25,
    max_width: Annotated[
        int, typer.Option(min=32, help="Longer lines are squeezed to it in training, px.")
    ] = 320,
    max_bad: Annotated[
        float, typer.Option(min=0, max=1, help="Share of unreadable pictures that stops.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(help="Draws, order, augmentation and dropout.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: every core.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Require an unfinished run in --out.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would train, measure a few steps, and stop.")
    ] = False,
    overfit_one_batch: Annotated[
        bool, typer.Option("--overfit-one-batch", help="Only check that one batch can be learned by heart.")
    ] = False,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Fine-tune a recogniser, and keep the result only if it is better and has not forgotten.

    Exit code 1: finished, and the base model stays, because nothing beat it within --max-forget.
    """
    if task != "rec":
        raise UsageError(f"--task {task!r}: only rec can be trained so far")
    _check_word("batch-norm", batch_norm, ("fixed", "moving"))
    _check_word("augment", augment, ("recaug", "none"))
    if learning_rate is not None and not learning_rate > 0:
        raise UsageError(f"--learning-rate {learning_rate:g} is not above 0")
    if more and not override:
        raise UsageError(f"{more[0]!r} belongs to no option (values over a recipe's follow -o)")
    from datakit_train.devices import parse_devices, use_device
    from datakit_train.framework import import_paddle
    from datakit_train.job import make_job
    from datakit_train.predict import read_label_set
    from datakit_train.ranks import current_ranks

    import_paddle(threads)
    chosen = parse_devices(devices) if devices is not None else ()
    if len(set(chosen)) == 1:
        # One GPU, or the CPU in however many processes.
        use_device(chosen[0])
    ranks = current_ranks()
    job = make_job(_given(context), recipe, [*(override or ()), *(more or ())])
    for remark in job.remarks if ranks.size == 1 else ():
        typer.echo(remark, err=True)
    for part in (job.val, *job.guards):
        read_label_set(part.label_file, part.data_dir)
    if dry_run:
        _dry_run(job, allow_outside)
    elif overfit_one_batch:
        _overfit(job, allow_outside, json_)
    elif resume and not (job.out / "latest.json").exists():
        raise UsageError(f"--resume: {job.out} holds no unfinished run")
    elif ranks.size > 1:
        _train_along(job, ranks, allow_outside)
    elif len(chosen) > 1:
        _launch(job, chosen, json_)
    else:
        _report(_train(job, allow_outside).to_dict(), json_)


def _check_word(option: str, value: str, known: tuple[str, str]) -> None:
    if value not in known:
        raise UsageError(f"--{option} {value!r} is neither {known[0]} nor {known[1]}")


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _dry_run(job: Job, allow_outside: bool) -> None:
    from datakit_train.job import load_job_base
    from datakit_train.preflight import preflight

    base = load_job_base(job, _say)
    typer.echo(preflight(job.mix, base, job.settings, allow_outside=allow_outside, measured=True))
    typer.echo(job.diff, nl=False)


def _overfit(job: Job, allow_outside: bool, json_: bool) -> None:
    from datakit_train.job import load_job_base
    from datakit_train.overfit import overfit_one_batch

    found = overfit_one_batch(job.mix, load_job_base(job, _say), job.settings, allow_outside=allow_outside)
    typer.echo(json.dumps(found.to_dict()) if json_ else found.describe())
    if not found.learned:
        raise typer.Exit(1)


def _train(job: Job, allow_outside: bool) -> Result:
    from datakit_train.finetune import finetune as run
    from datakit_train.job import load_job_base

    return run(
        job.mix,
        val=job.val,
        out=job.out,
        guards=job.guards,
        pretrained=load_job_base(job, _say),
        settings=job.settings,
        config=job.config,
        allow_outside=allow_outside,
        say=_say,
    )


def _train_along(job: Job, ranks: Ranks, allow_outside: bool) -> None:
    """One of several processes; the answer is read from result.json by the one that started them."""
    from datakit_train.finetune import help_finetune
    from datakit_train.job import load_job_base

    job = replace(job, settings=replace(job.settings, batch_size=job.settings.batch_size * ranks.size))
    if ranks.first:
        _train(job, allow_outside)
        return
    base = load_job_base(job, lambda _line: None)
    help_finetune(
        job.mix,
        val=job.val,
        out=job.out,
        pretrained=base,
        settings=job.settings,
        allow_outside=allow_outside,
    )


def _launch(job: Job, devices: Sequence[str], json_: bool) -> None:
    from datakit_train.devices import launch

    if code := launch(devices, sys.argv[1:], job.out / "logs"):
        raise typer.Exit(code)
    _report(json.loads((job.out / "result.json").read_bytes()), json_)


def _report(result: Mapping[str, Any], json_: bool) -> None:
    from datakit_train.result import candidate_of, describe

    if json_:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        candidates = {found["name"]: found for found in (result["base"], *result["candidates"])}
        typer.echo(f"kept {describe(candidate_of(candidates[result['chosen']]))}")
        for name, reasons in result["refused"].items():
            typer.echo(f"refused {name}: {'; '.join(reasons)}")
        typer.echo(f"model: {result['model']}")
    if not result["improved"]:
        typer.echo("nothing beat the base model within --max-forget; the base model stays", err=True)
        raise typer.Exit(1)
