"""The domain's labels with the case, spaces or marks of their pictures, for the rounds to train on.

A rule of the labels that the pictures do not follow (all upper case, say) is what training forgets most by.
The model that the loop begins with reads every line of the domain once; later ones have learned from it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from datakit.errors import InputError
from datakit.loop.folders import RoundFolder, Say, step_done
from datakit.loop.plan import LoopPlan
from datakit.mix import Part, load_mix


def restore_step(plan: LoopPlan, folder: RoundFolder, say: Say) -> LoopPlan:
    """``plan`` with the restored labels as its domain; what is there is not read again.

    ``folder`` is that of round 0. Ratios that name a label file of the domain go on to mean its restored one.

    Raises:
        InputError: of a label file no line is left.
    """
    if not plan.restore:
        return plan
    domain, ratios = [], dict(plan.ratios)
    for index, part in enumerate(plan.domain):
        source = folder.restored(index) / "restored.yaml"
        if not source.exists():
            _restore(plan, part, source.parent, say)
        found = load_mix(source).sources[0]
        restored = Part(found.label_file.resolve(), found.data_dir.resolve())
        domain.append(restored)
        for name in (str(part.label_file), part.label_file.name):
            if name in ratios:
                ratios[str(restored.label_file)] = ratios.pop(name)
    return replace(plan, domain=tuple(domain), ratios=ratios)


def _restore(plan: LoopPlan, part: Part, out: Path, say: Say) -> None:
    from datakit.badcases.restore import write_restored
    from datakit.progress import Progress
    from datakit_train.predict import LineReader, read_label_set
    from datakit_train.recognizer import load_recognizer

    label_set = read_label_set(part.label_file, part.data_dir)
    with Progress(len(label_set.lines), "read the domain's labels") as progress:
        predictions = LineReader(load_recognizer(plan.model)).read(label_set, progress)
    folders = {str(part.label_file): label_set.data_dir}
    counts = write_restored(predictions, out, plan.restore, folders)
    if not counts.written:
        raise InputError(f"no line is left with its labels restored; see {out / 'restored.jsonl'}",
                         file=part.label_file)  # fmt: skip
    step_done(
        out, "restore", 0, inputs=[part.label_file],
        counts={"lines": counts.written, "changed": counts.changed, "left out": counts.left_out},
    )  # fmt: skip
    left = f", {counts.left_out} left out" if counts.left_out else ""
    say(
        f"restore {part.label_file}: {', '.join(plan.restore)} as {plan.model} reads it: {counts.changed} of "
        f"{counts.written} labels change{left} (each listed in {out / 'restored.jsonl'})"
    )
