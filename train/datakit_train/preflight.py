"""What a run would train, said before it starts: lines, steps, evaluations, and what the guide says of it."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from datakit.charset import Charset
from datakit.mix import Mix
from datakit.progress import Progress
from datakit_train.architectures import family_of
from datakit_train.batches import load_batch, plan_epoch
from datakit_train.engine import Engine
from datakit_train.recognizer import assemble, find_model
from datakit_train.samples import SampleSet, load_samples
from datakit_train.schedules import Schedule, guide_rates
from datakit_train.settings import Settings, epoch_steps, make_schedule, plan_steps
from datakit_train.watch import evaluation_steps
from datakit_train.weights.store import StoredModel, load_model

# The guide wants at least so many lines where the dictionary stays, and domain to general about 1:1.
GUIDE_LINES = 5000
_GENERAL_RANGE = (0.5, 2.0)
# Old to new (targeted synthetic) lines of an epoch.
_OLD_TO_NEW = (5.0, 10.0)
# General lines that are left out or squeezed, of their set: from this share on it is said.
_LONG_SHARE = 0.05
# A rate this many times the guide's is worth a word.
_RATE_FACTOR = 2.0
_MEASURED_STEPS = 3


def load_for(mix: Mix, base: StoredModel, settings: Settings, *, allow_outside: bool = False) -> SampleSet:
    """The samples of ``mix`` for a base model."""
    family = family_of(base.architecture)
    with Progress(0, "read labels") as progress:
        return load_samples(
            mix,
            Charset(base.characters),
            max_text_length=settings.max_text_length,
            max_width=settings.max_width,
            height=family.height,
            stride=family.stride,
            # Narrow and wide lines differ in BatchNorm's statistics: batches of one or the other teach the
            # network to read neither with what the last of them left.
            like_widths=settings.fixed_batch_norm,
            allow_outside=allow_outside,
            on_line=progress.advance,
        )


def describe_samples(samples: SampleSet, settings: Settings, schedule: Schedule) -> str:
    """What trains, what is cut or dropped, how many steps and evaluations, at which rate."""
    trained = sum(map(len, samples.samples))
    per_epoch = epoch_steps(samples, settings)
    scored = len(evaluation_steps(settings, schedule.steps))
    return (
        f"{samples.lines_in} lines: {trained} train ({len(samples.cut)} of them with characters cut), "
        f"{len(samples.dropped)} dropped (named in dropped.jsonl); "
        f"{schedule.steps} steps of {settings.batch_size}, "
        f"{schedule.steps / per_epoch:.2f} epochs, {schedule.name} at {schedule.rate:.2g}; "
        f"{scored} evaluation{'s' * (scored > 1)} after step 0"
    )


def guide_remarks(samples: SampleSet, settings: Settings, schedule: Schedule) -> list[str]:
    """One sentence for everything that is outside what PaddleOCR's fine-tuning guide advises."""
    remarks = []
    trained = sum(map(len, samples.samples))
    if trained < GUIDE_LINES:
        remarks.append(f"{trained} lines train; the guide asks for at least {GUIDE_LINES}")
    wanted, _late = guide_rates(settings.batch_size)
    factor = schedule.rate / wanted
    if not 1 / _RATE_FACTOR <= factor <= _RATE_FACTOR:
        remarks.append(
            f"the rate {schedule.rate:.2g} is {factor:.2g} times the guide's {wanted:.2g} for a batch of "
            f"{settings.batch_size} (1e-4 at 128, in proportion)"
        )
    return remarks + _ratio_remarks(samples) + _length_remarks(samples, settings)


def _ratio_remarks(samples: SampleSet) -> list[str]:
    drawn: Counter[str] = Counter()
    for source, held in zip(samples.mix.sources, samples.samples, strict=True):
        drawn[source.kind] += round(source.ratio * len(held))
    remarks = []
    domain, general, new = drawn["domain"], drawn["general"], drawn["synthetic"]
    if domain and not general:
        remarks.append("no general line trains along: --replay LABELS keeps most of what the model knew")
    if domain and general and not _GENERAL_RANGE[0] <= domain / general <= _GENERAL_RANGE[1]:
        remarks.append(f"an epoch has {domain} domain lines and {general} general ones; the guide: about 1:1")
    old = domain + general
    if new and old and not _OLD_TO_NEW[0] <= old / new <= _OLD_TO_NEW[1]:
        remarks.append(f"an epoch has {old} old lines and {new} synthetic ones; the guide: 10:1 to 5:1")
    return remarks


def _length_remarks(samples: SampleSet, settings: Settings) -> list[str]:
    """A general line that does not train as it is read later is no guard against forgetting such lines."""
    remarks = []
    for source, held in zip(samples.mix.sources, samples.lengths, strict=False):
        if source.kind != "general" or held.too_long + held.squeezed < _LONG_SHARE * held.lines:
            continue
        remarks.append(
            f"{source.label_file}: {held.too_long} of {held.lines} general lines are longer than "
            f"--max-text-length {settings.max_text_length} and do not train, {held.squeezed} are over twice "
            f"as wide as --max-width {settings.max_width} and train squeezed to less than half; such lines "
            f"are forgotten first (95 % have at most {held.characters} characters; of those that train "
            f"{held.width} px)"
        )
    return remarks


@dataclass(frozen=True, slots=True)
class Cost:
    """``seconds`` of training (evaluations left out) and the largest ``bytes`` of this process."""

    seconds: float
    bytes: int

    def describe(self) -> str:
        """One sentence."""
        minutes, seconds = divmod(round(self.seconds), 60)
        return f"about {minutes} min {seconds} s of training on this machine, {self.bytes / 2**30:.1f} GiB"


def measure(base: StoredModel, samples: SampleSet, settings: Settings, steps: int) -> Cost:
    """Train a few steps and throw them away: the widest batch first, for the memory, then the middle ones.

    A step costs in proportion to lines x padded width (measured: docs/results.md).
    """
    engine = Engine(assemble(base).network, freeze=settings.freeze, seed=settings.seed)
    plans = sorted(
        plan_epoch(samples, batch_size=settings.batch_size, seed=settings.seed, epoch=0),
        key=lambda plan: plan.width * len(plan.items),
    )
    sizes = [plan.width * len(plan.items) for plan in plans]
    engine.step(load_batch(plans[-1], seed=settings.seed, augment=settings.augment), 0, 0.0)
    middle = len(plans) // 2
    timed = plans[middle : middle + _MEASURED_STEPS]
    started = time.monotonic()
    for number, plan in enumerate(timed):
        engine.step(load_batch(plan, seed=settings.seed, augment=settings.augment), number, 0.0)
    seconds = (time.monotonic() - started) / sum(sizes[middle : middle + _MEASURED_STEPS])
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return Cost(seconds * sum(sizes) * steps / len(plans), peak)


def preflight(
    mix: Mix,
    pretrained: str | Path | StoredModel,
    settings: Settings,
    *,
    allow_outside: bool = False,
    measured: bool = False,
) -> str:
    """What :func:`datakit_train.finetune.finetune` would train, without training.

    The first line are the counts; then a line for everything that the guide would do otherwise, and with
    ``measured`` the time and memory of the run by a few steps of it.

    Raises:
        DatakitError: any bad input.
    """
    base = pretrained if isinstance(pretrained, StoredModel) else load_model(find_model(pretrained))
    samples = load_for(mix, base, settings, allow_outside=allow_outside)
    schedule = make_schedule(settings, plan_steps(samples, settings), epoch_steps(samples, settings))
    lines = [describe_samples(samples, settings, schedule), *guide_remarks(samples, settings, schedule)]
    if measured:
        lines.append(measure(base, samples, settings, schedule.steps).describe())
    return "\n".join(lines)
