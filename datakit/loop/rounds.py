"""The steps of one round.

Each reads files and leaves files; a step whose result is there is not done again. The plan that a step gets
holds no test set.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datakit.charset import Charset
from datakit.errors import InputError, OutputError
from datakit.files import Manifest, atomic_write
from datakit.labels import encode_rec, read_rec
from datakit.loop.decide import Before, Decision, decide
from datakit.loop.dictionary import lacking, read_extended, sentence, target, write_extended
from datakit.loop.folders import RoundFolder, Say, read_json, step_done, write_json
from datakit.loop.plan import LoopPlan
from datakit.loop.score import book_of
from datakit.loop.sources import mix_of_round
from datakit.metrics import Score
from datakit.mix import Lift, Part, load_mix, make_plan, write_lifted, write_mix
from datakit.records import Targets, read_targets

# The demo takes it from here.
__all__ = ["Say"]

if TYPE_CHECKING:
    from datakit_synth.request import SynthRequest
    from datakit_train.weights.store import StoredModel


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
    step_done(
        folder.audit.parent, "audit", folder.number, inputs=map(Path, totals), counts={"files": len(totals)}
    )
    write_json(folder.audit, {"schema_version": 1, "totals": totals})
    for file, counts in totals.items():
        say(f"audit {file}: {_audit_sentence(counts)}")


def _audit_sentence(counts: Mapping[str, Any]) -> str:
    """What becomes of the lines of a file, in words; reasons where lines are lost."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts["reasons"].items())
    cut = f", {counts['cut']} with characters cut that the dictionary lacks" if counts["cut"] else ""
    lost = counts["dropped"] + counts["never_learnable"] + counts["unreadable"]
    dropped = f", {lost} do not train" + (f" ({reasons})" if reasons else "") if lost else ""
    return f"{counts['lines']} lines: {counts['trained']} train as labelled{cut}{dropped}"


def _encoded_lines(label_file: Path, say: Say) -> list[bytes]:
    """The lines of a label file as bytes; one that cannot be written again is named and left out."""
    encoded = []
    for line in read_rec(label_file)[0]:
        try:
            encoded.append(encode_rec(line.images, line.text))
        except OutputError as error:
            say(f"{line.file}:{line.line}: not read for badcases: {error}")
    return encoded


def _mine(plan: LoopPlan, folder: RoundFolder, say: Say) -> list[Path]:
    """A random part of the domain, one label file per domain source; another part every round."""
    files = []
    parts = [_encoded_lines(part.label_file, say) for part in plan.domain]
    total = sum(map(len, parts))
    if not total:
        raise InputError("no line can be used", file=plan.domain[0].label_file)
    rng = random.Random(f"mine/{plan.seed}/{folder.number}")
    for index, lines in enumerate(parts):
        share = min(len(lines), round(plan.mine * len(lines) / total))
        chosen = sorted(rng.sample(range(len(lines)), share))
        path = folder.mined(index)
        atomic_write(path, b"".join(lines[i] for i in chosen))
        files.append(path)
    return files


def predict_step(plan: LoopPlan, folder: RoundFolder, model: Path | str, say: Say) -> None:
    """Read a part of the domain with the model so far."""
    if folder.predictions.exists():
        return
    from datakit.progress import Progress
    from datakit_train.predict import LineReader, read_label_set, score_predictions
    from datakit_train.recognizer import load_recognizer

    reader = LineReader(load_recognizer(model))
    predictions = []
    for path, part in zip(_mine(plan, folder, say), plan.domain, strict=True):
        if path.stat().st_size:
            label_set = read_label_set(path, part.data_dir or part.label_file.parent)
            with Progress(len(label_set.lines), "read the domain") as progress:
                predictions += reader.read(label_set, progress)
    score = score_predictions(predictions)
    say(f"read {score.lines} lines of the domain: {score.accuracy_folded:.4f} folded")
    step_done(folder.predictions.parent, "predict", folder.number, counts={"lines": score.lines})
    atomic_write(folder.predictions, "".join(prediction.to_json() + "\n" for prediction in predictions))


def badcases_step(plan: LoopPlan, folder: RoundFolder, charset: Charset) -> None:
    """What failed, and what badcases alone would make."""
    if (folder.badcases / "report.html").exists():
        return
    from datakit.badcases.analysis import analyse
    from datakit.badcases.output import read_training, write_badcases
    from datakit.badcases.pictures import PictureReader
    from datakit.records import read_predictions

    training = read_training([part.label_file for part in (*plan.domain, *plan.general)])
    folders = {
        str(folder.mined(index)): part.data_dir or part.label_file.parent
        for index, part in enumerate(plan.domain)
    }
    report = analyse(
        list(read_predictions(folder.predictions)),
        charset=charset,
        train_lines=training.lines_with,
        per_char=int(plan.synth.get("per_char", 100)),
        max_targets=int(plan.synth.get("max_targets", 20)),
        max_text_length=int(plan.finetune.get("max_text_length", 25)),
        measure=PictureReader(folders=folders),
    )
    manifest = Manifest.begin("badcases", {"round": folder.number}, inputs=[folder.predictions])
    write_badcases(report, folder.badcases, folders=folders, manifest=manifest)


def before_of(earlier: Sequence[RoundFolder]) -> Before | None:
    """What the decision of a round builds on, from the folders of the rounds before it."""
    from datakit_train.finetune import RESULT

    if not earlier:
        return None
    last = earlier[-1]
    decision = read_json(last.decision) if last.decision.exists() else {}
    return Before(
        last.number,
        read_json(last.badcases / "report.json"),
        tuple(target.char for target in read_targets(last.targets).targets),
        decision.get("without_effect", {}),
        float(decision.get("general", 1.0)),
        read_json(last.finetune / RESULT),
        float(decision.get("rate", 1.0)),
    )


def _extended(plan: LoopPlan, folder: RoundFolder, charset: Charset, decision: Decision) -> Decision:
    """The decision with the characters that the dictionary lacks, which is written where any is added."""
    if not plan.new_characters:
        return decision
    limit = int(plan.finetune.get("max_text_length", 25))
    found = lacking((part.label_file for part in plan.domain), charset, limit)
    added = [entry for entry in found if entry.lines >= plan.new_characters]
    if not added:
        return decision
    write_extended(folder.dictionary, charset, (entry.char for entry in added))
    # An accent of its own draws nothing without the letter under it: real lines train it.
    drawn = [entry for entry in added if not unicodedata.combining(entry.char)]
    new = [target(entry, int(plan.synth.get("per_char", 100))) for entry in drawn]
    chosen = replace(decision.targets, targets=(*decision.targets.targets, *new))
    sentences = (*decision.sentences, sentence(found, plan.new_characters))
    return replace(decision, targets=chosen, sentences=sentences)


def targets_step(
    plan: LoopPlan, folder: RoundFolder, earlier: Sequence[RoundFolder], charset: Charset, say: Say
) -> Targets:
    """Decide what this round makes, and say why; a targets.json that is there is taken as it is."""
    if not folder.targets.exists():
        proposed = read_targets(folder.badcases / "targets.json")
        decision = decide(read_json(folder.badcases / "report.json"), proposed, before_of(earlier))
        decision = _extended(plan, folder, charset, decision)
        write_json(folder.decision, decision.to_dict())
        counts = {"targets": len(decision.targets.targets)}
        step_done(folder.targets.parent, "targets", folder.number, counts=counts)
        atomic_write(folder.targets, decision.targets.to_json())
    for line in _sentences(folder):
        say(f"plan: {line}")
    return read_targets(folder.targets)


def _sentences(folder: RoundFolder) -> list[str]:
    if folder.decision.exists():
        return [str(sentence) for sentence in read_json(folder.decision)["sentences"]]
    return [f"{folder.targets} was made by hand and is taken as it is"]


def synth_step(plan: LoopPlan, folder: RoundFolder, targets: Targets, charset: Charset, say: Say) -> None:
    """Render the lines that are missing; a character that no font has is said and left out."""
    from datakit_synth.run import prepare, synthesize

    if not targets.targets or (folder.synth / "labels.txt").exists():
        return
    charset = read_extended(folder.dictionary, charset)
    request = _synth_request(plan, targets, charset)
    seed = plan.seed + folder.number
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


def mix_step(plan: LoopPlan, folder: RoundFolder, earlier: Sequence[RoundFolder], say: Say) -> None:
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
    more = float(read_json(folder.decision)["general"]) if folder.decision.exists() else 1.0
    if plan.general and more != 1 and "general" not in ratios:
        plain = make_plan(domain=plan.domain, general=plan.general)
        ratios["general"] = more * plain.mix.sources[len(plan.domain)].ratio
    made = make_plan(
        domain=plan.domain,
        general=plan.general,
        synthetic=synthetic,
        badcases=badcases,
        ratios=ratios,
        lift=Lift(folder.mix.parent / "lifted", plan.floor),
    )
    write_lifted(made.lifted)
    step_done(folder.mix.parent, "mix", folder.number, counts={"draws": sum(made.draws)})
    write_mix(folder.mix, made.mix)
    for source, lines, draws in zip(made.mix.sources, made.lines, made.draws, strict=True):
        counts = f"{lines} lines, ratio {source.ratio:g}, {draws} draws an epoch"
        say(f"mix: {source.kind:9} {source.label_file}: {counts}")
    for note in made.notes:
        say(f"mix: {note}")


def start_of(folder: RoundFolder, model: Path | str, say: Say) -> Path | str | StoredModel:
    """What training starts from: the model, with the characters that the round adds."""
    if not folder.dictionary.exists():
        return model
    from datakit_train.prepare import NewDictionary, load_base

    return load_base(model, NewDictionary(folder.dictionary, "union", use_space_char=False), say)


def _training_of(plan: LoopPlan, folder: RoundFolder) -> dict[str, Any]:
    """The plan's settings of the training, with the learning rate that the round decided on."""
    from datakit_train.schedules import guide_rates
    from datakit_train.settings import Settings

    given = dict(plan.finetune)
    if "shares" in given:
        given["shares"] = tuple(given["shares"])
    rate = read_json(folder.decision).get("rate", 1.0) if folder.decision.exists() else 1.0
    if rate != 1:
        planned = given.get("learning_rate") or guide_rates(given.get("batch_size", Settings().batch_size))[0]
        given["learning_rate"] = rate * planned
    return given


def finetune_step(
    plan: LoopPlan, folder: RoundFolder, model: Path | str, floor: Mapping[str, Score], say: Say
) -> dict[str, Any]:
    """Train, and keep the result only if the gate lets it pass; returns result.json."""
    from datakit_train.finetune import RESULT, finetune
    from datakit_train.settings import Settings

    if not (folder.finetune / RESULT).exists():
        given = _training_of(plan, folder)
        finetune(
            mix_of_round(folder),
            val=plan.val,
            out=folder.finetune,
            guards=plan.guard,
            pretrained=start_of(folder, model, say),
            settings=Settings(**{**given, "seed": plan.seed + folder.number}),
            floor=floor,
            book=book_of(plan),
            say=say,
        )
    return read_json(folder.finetune / RESULT)
