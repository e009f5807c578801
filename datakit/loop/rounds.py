"""The steps of one round.

Each reads files and leaves files; a step whose result is there is not done again.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datakit.charset import Charset
from datakit.errors import InputError, OutputError
from datakit.files import Manifest, atomic_write
from datakit.labels import encode_rec, read_rec
from datakit.loop.plan import LoopPlan
from datakit.metrics import Score
from datakit.mix import Part, load_mix, make_plan, write_mix
from datakit.records import Targets, read_targets

if TYPE_CHECKING:
    from datakit_synth.request import SynthRequest

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RoundFolder:
    """Where a round keeps what."""

    path: Path

    @property
    def audit(self) -> Path:
        """What audit says of the training labels."""
        return self.path / "audit.json"

    @property
    def mined(self) -> Path:
        """The label file of the lines read for badcases."""
        return self.path / "mined.txt"

    @property
    def predictions(self) -> Path:
        """What the model of the round before reads from them."""
        return self.path / "predictions.jsonl"

    @property
    def badcases(self) -> Path:
        """Badcases, targets and their report."""
        return self.path / "badcases"

    @property
    def synth(self) -> Path:
        """The rendered lines."""
        return self.path / "synth"

    @property
    def mix(self) -> Path:
        """The training set of the round."""
        return self.path / "mix.yaml"

    @property
    def finetune(self) -> Path:
        """The training run; its best model is the result of the round."""
        return self.path / "finetune"

    @property
    def scores(self) -> Path:
        """Scores of the test sets after the round."""
        return self.path / "scores.json"

    def readings(self, name: str) -> Path:
        """What was read from the test set ``name``.

        The name may be a path, and comes from the user: the file stays in the round's folder.
        """
        plain = re.sub(r"[^\w.-]", "-", name)
        mark = "" if plain == name else f"-{zlib.crc32(name.encode()):08x}"
        return self.path / f"predictions-{plain}{mark}.jsonl"


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """A whole JSON document or none."""
    atomic_write(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """A document that :func:`write_json` wrote."""
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def audit_step(plan: LoopPlan, folder: RoundFolder, charset: Charset, say: Say) -> None:
    """What the trainer will do with every training line."""
    if folder.audit.exists():
        return
    from datakit.audit import audit

    totals = {}
    for part in (*plan.domain, *plan.general):
        report = audit(
            [part.label_file],
            data_dir=part.data_dir,
            charset=charset,
            max_text_length=int(plan.finetune.get("max_text_length", 25)),
            image_shape=(3, 48, int(plan.finetune.get("max_width", 320))),
            task="rec",
        )
        totals[str(part.label_file)] = report.to_dict()["totals"]
    write_json(folder.audit, {"schema_version": 1, "totals": totals})
    for file, counts in totals.items():
        say(f"audit {file}: {json.dumps(counts)}")


def _encoded_lines(label_file: Path, say: Say) -> list[bytes]:
    """The lines of a label file as bytes; one that cannot be written again is named and left out."""
    encoded = []
    for line in read_rec(label_file)[0]:
        try:
            encoded.append(encode_rec(line.images, line.text))
        except OutputError as error:
            say(f"{line.file}:{line.line}: not read for badcases: {error}")
    return encoded


def _mine(plan: LoopPlan, folder: RoundFolder, number: int, say: Say) -> list[Path]:
    """A random part of the domain, one label file per domain source; another part every round."""
    files = []
    parts = [_encoded_lines(part.label_file, say) for part in plan.domain]
    total = sum(map(len, parts))
    if not total:
        raise InputError("no line can be used", file=plan.domain[0].label_file)
    rng = random.Random(f"mine/{plan.seed}/{number}")
    for index, lines in enumerate(parts):
        share = min(len(lines), round(plan.mine * len(lines) / total))
        chosen = sorted(rng.sample(range(len(lines)), share))
        path = folder.mined.with_name(f"mined-{index}.txt")
        atomic_write(path, b"".join(lines[i] for i in chosen))
        files.append(path)
    return files


def predict_step(plan: LoopPlan, folder: RoundFolder, number: int, model: Path | str, say: Say) -> None:
    """Read a part of the domain with the model so far."""
    if folder.predictions.exists():
        return
    from datakit.progress import Progress
    from datakit_train.predict import LineReader, read_label_set, score_predictions
    from datakit_train.recognizer import load_recognizer

    reader = LineReader(load_recognizer(model))
    predictions = []
    for path, part in zip(_mine(plan, folder, number, say), plan.domain, strict=True):
        if path.stat().st_size:
            label_set = read_label_set(path, part.data_dir or part.label_file.parent)
            with Progress(len(label_set.lines), "read the domain") as progress:
                predictions += reader.read(label_set, progress)
    score = score_predictions(predictions)
    say(f"read {score.lines} lines of the domain: {score.accuracy_folded:.4f} folded")
    atomic_write(folder.predictions, "".join(prediction.to_json() + "\n" for prediction in predictions))


def badcases_step(plan: LoopPlan, folder: RoundFolder, charset: Charset, say: Say) -> Targets:
    """What failed, and what to make."""
    done = folder.badcases / "report.html"
    if not done.exists():
        from datakit.badcases.analysis import analyse
        from datakit.badcases.output import read_training, write_badcases
        from datakit.records import read_predictions

        training = read_training([part.label_file for part in (*plan.domain, *plan.general)])
        predictions = list(read_predictions(folder.predictions))
        report = analyse(
            predictions,
            charset=charset,
            train_lines=training.lines_with,
            per_char=int(plan.synth.get("per_char", 100)),
            max_targets=int(plan.synth.get("max_targets", 20)),
            max_text_length=int(plan.finetune.get("max_text_length", 25)),
        )
        folders = {
            str(folder.mined.with_name(f"mined-{index}.txt")): part.data_dir or part.label_file.parent
            for index, part in enumerate(plan.domain)
        }
        manifest = Manifest.begin("badcases", {"round": folder.path.name}, inputs=[folder.predictions])
        write_badcases(report, folder.badcases, folders=folders, manifest=manifest)
    targets = read_targets(folder.badcases / "targets.json")
    shown = "".join(target.char for target in targets.targets[:40])
    say(
        f"badcases: {len(targets.targets)} characters to make: {shown}"
        if targets.targets
        else "badcases: no target"
    )
    return targets


def synth_step(
    plan: LoopPlan, folder: RoundFolder, number: int, targets: Targets, charset: Charset, say: Say
) -> None:
    """Render the lines that are missing; a character that no font has is said and left out."""
    from datakit_synth.run import prepare, synthesize

    if not targets.targets or (folder.synth / "labels.txt").exists():
        return
    request = _synth_request(plan, targets, charset)
    seed = plan.seed + number
    impossible = {
        entry.char: entry.impossible
        for entry in prepare(request, seed=seed).plan.characters
        if entry.impossible
    }
    for char, reason in impossible.items():
        say(f"synth: {char!r} is left out: {reason}")
    kept = tuple(target for target in targets.targets if target.char not in impossible)
    if not kept:
        return
    workers = int(plan.synth.get("workers", 2))
    result = synthesize(
        replace(request, targets=kept), folder.synth, seed=seed, workers=workers, progress=True
    )
    say(f"synth: {result.lines} lines for {len(kept)} characters")


def _synth_request(plan: LoopPlan, targets: Targets, charset: Charset) -> SynthRequest:
    from datakit_synth.request import SynthRequest

    settings = plan.synth
    optional = {key: tuple(settings[key]) for key in ("presets", "backgrounds") if settings.get(key)}
    if settings.get("photos"):
        optional["backgrounds"] = (*optional.get("backgrounds", SynthRequest().backgrounds), "photo")
    return SynthRequest(
        targets=targets.targets,
        corpora=tuple(settings.get("corpus") or ()),
        templates=tuple(settings.get("templates") or ()),
        charset=charset,
        fonts=tuple(settings.get("fonts") or ()),
        photos=settings.get("photos"),
        max_length=int(plan.finetune.get("max_text_length", 25)),
        **optional,  # type: ignore[arg-type]
    )


def mix_step(plan: LoopPlan, folder: RoundFolder, earlier: list[RoundFolder], say: Say) -> None:
    """Real, general, synthetic (of every round so far) and badcases, at the guide's ratios."""
    if folder.mix.exists():
        return
    synthetic = [
        Part(r.synth / "labels.txt") for r in (*earlier, folder) if (r.synth / "labels.txt").exists()
    ]
    failing = folder.badcases / "badcases.yaml"
    badcases = [Part(s.label_file, s.data_dir) for s in load_mix(failing).sources] if failing.exists() else []
    # A ratio for a kind that this round has nothing of is no mistake of the user's.
    absent = {kind for kind, parts in (("synthetic", synthetic), ("badcases", badcases)) if not parts}
    ratios = {name: ratio for name, ratio in plan.ratios.items() if name not in absent}
    made = make_plan(
        domain=plan.domain, general=plan.general, synthetic=synthetic, badcases=badcases, ratios=ratios
    )
    write_mix(folder.mix, made.mix)
    for source, lines, draws in zip(made.mix.sources, made.lines, made.draws, strict=True):
        counts = f"{lines} lines, ratio {source.ratio:g}, {draws} draws an epoch"
        say(f"mix: {source.kind:9} {source.label_file}: {counts}")
    for note in made.notes:
        say(f"mix: {note}")


def finetune_step(
    plan: LoopPlan, folder: RoundFolder, number: int, model: Path | str, floor: Mapping[str, Score], say: Say
) -> dict[str, Any]:
    """Train, and keep the result only if the gate lets it pass; returns result.json."""
    from datakit_train.finetune import RESULT, finetune
    from datakit_train.settings import Settings

    if not (folder.finetune / RESULT).exists():
        given = dict(plan.finetune)
        if "shares" in given:
            given["shares"] = tuple(given["shares"])
        finetune(
            load_mix(folder.mix),
            val=plan.val,
            out=folder.finetune,
            guards=plan.guard,
            pretrained=model,
            settings=Settings(**{**given, "seed": plan.seed + number}),
            floor=floor,
            say=say,
        )
    return read_json(folder.finetune / RESULT)
