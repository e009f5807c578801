"""The loop: round 0 scores the model as it is, every further round tries to make it better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from datakit.errors import UsageError
from datakit.files import FolderLock, Manifest, atomic_write, sha256_file, write_manifest
from datakit.loop.apart import require_apart
from datakit.loop.clock import StepClock, seconds_spent
from datakit.loop.folders import RoundFolder, read_json, remove_leftovers, round_folder, write_json
from datakit.loop.plan import LoopPlan
from datakit.loop.restore import restore_step
from datakit.loop.rounds import (
    audit_step,
    badcases_step,
    finetune_step,
    mix_step,
    predict_step,
    start_of,
    synth_step,
    targets_step,
)
from datakit.loop.score import base_scores, named_sets, score_step
from datakit.loop.screen import PlainScreen, Say, Screen
from datakit.loop.sources import sources_step
from datakit.loop.stops import reason_to_stop
from datakit.loop.summary import LoopResult, RoundSummary, summary_from
from datakit.metrics import Score
from datakit.mix import Part
from datakit.records import read_targets

__all__ = ["LoopResult", "RoundSummary", "run_loop"]

TRACK = "loop.json"
PAGE = "loop.html"
DECLINED = "the plan of round {} was not agreed to; edit {} and run again"

# Asked with what is about to be done; False ends the loop there.
Ask = Callable[[str], bool]


def _train(
    given: LoopPlan,
    folder: RoundFolder,
    model: str,
    floor: Mapping[str, Score],
    screen: Screen,
    clock: StepClock,
    ask: Ask | None,
) -> dict[str, Any] | None:
    """All steps up to the training; its result.json, or None where the user said no. ``given`` is blind."""
    from datakit_train.recognizer import load_recognizer

    charset = load_recognizer(model).charset
    earlier = [round_folder(given.out, n) for n in range(1, folder.number)]
    say = screen.say

    def timed(name: str, work: Callable[[], Any]) -> Any:
        screen.begin(folder.number, name)
        with clock.step(name):
            return work()

    # Of the labels as they were given, so that its verdicts name the user's own lines.
    timed("audit", lambda: audit_step(given, folder, charset, say))
    plan = given
    if given.restore:
        plan = timed("restore", lambda: restore_step(given, round_folder(given.out, 0), say))
    timed("predict", lambda: predict_step(plan, folder, model, say))
    timed("badcases", lambda: badcases_step(plan, folder, charset))
    timed("targets", lambda: targets_step(plan, folder, earlier, charset, say))
    if ask is not None and not folder.mix.exists() and not ask(f"round {folder.number} as planned?"):
        return None
    # Read again: the user may have edited it while being asked.
    targets = read_targets(folder.targets)
    timed("synth", lambda: synth_step(plan, folder, targets, charset, say))
    timed("mix", lambda: mix_step(plan, folder, earlier, say))
    if plan.leave_one_out:
        timed("sources", lambda: sources_step(plan, folder, start_of(folder, model, say), say))
    result: dict[str, Any] = timed("finetune", lambda: finetune_step(plan, folder, model, floor, say))
    return result


def _round(
    plan: LoopPlan,
    folder: RoundFolder,
    model: str,
    floor: Mapping[str, Score],
    screen: Screen,
    ask: Ask | None,
) -> RoundSummary | None:
    if folder.summary.exists():
        return summary_from(read_json(folder.summary))
    screen.say(f"round {folder.number}, from {model}")
    clock = StepClock(folder.times)
    result = _train(plan.blind(), folder, model, floor, screen, clock, ask)
    if result is None:
        return None
    kept = str(folder.finetune / "best") if result["improved"] else model
    screen.begin(folder.number, "score")
    with clock.step("score"):
        unchanged = None if result["improved"] else round_folder(plan.out, folder.number - 1)
        scores = score_step(plan, kept, folder, screen.say, unchanged)
    by_name = {entry["name"]: entry for entry in (*result["candidates"], result["base"])}
    row = RoundSummary(
        number=folder.number,
        promoted=bool(result["improved"]),
        candidate=str(result["chosen"]),
        targets=tuple(target.char for target in read_targets(folder.targets).targets),
        scores=scores,
        seconds=clock.total,
        model=kept,
        val=by_name[result["chosen"]]["domain"]["accuracy_folded"],
        steps=clock.seconds,
        refused=tuple(f"{name}: {'; '.join(reasons)}" for name, reasons in result["refused"].items()),
    )
    write_json(folder.summary, row.to_dict())
    return row


def _base(plan: LoopPlan, screen: Screen) -> tuple[RoundSummary, dict[str, Score]]:
    folder = round_folder(plan.out, 0)
    clock = StepClock(folder.times)
    screen.begin(0, "score")
    with clock.step("score"):
        scores = score_step(plan, plan.model, folder, screen.say)
    with clock.step("guards"):
        floor, val = base_scores(plan, folder)
    row = RoundSummary(0, False, "base", (), scores, clock.total, plan.model, val, clock.seconds)
    return row, floor


def _fingerprint(plan: LoopPlan) -> str:
    """What has to be the same for the rounds in a folder to be gone on with.

    More rounds may be asked for, and other reasons to stop.
    """
    parts = [*plan.domain, plan.val, *plan.general, *plan.guard, *plan.test.values()]
    sets = [
        (str(part.label_file), str(part.data_dir or part.label_file.parent), sha256_file(part.label_file))
        for part in parts
    ]
    facts = [
        plan.model,
        plan.seed,
        plan.mine,
        plan.floor,
        plan.new_characters,
        plan.leave_one_out,
        sorted(plan.finetune.items()),
        sorted(plan.synth.items()),
        sorted(plan.ratios.items()),
        sets,
        # Folders from before there was this key are gone on with.
        *([list(plan.restore)] if plan.restore else []),
    ]
    return repr(facts)


def _require_same(plan: LoopPlan) -> None:
    """Refuse a folder of another plan; the first time, also sets that are not apart."""
    path = plan.out / "plan.json"
    fingerprint = _fingerprint(plan)
    if path.exists():
        if read_json(path)["fingerprint"] != fingerprint:
            raise UsageError(f"{plan.out} holds rounds of another loop.yaml or other data; use another out")
        return
    require_apart(plan)
    write_json(path, {"fingerprint": fingerprint})


def run_loop(
    plan: LoopPlan,
    *,
    say: Say = lambda _line: None,
    screen: Screen | None = None,
    ask: Ask | None = None,
) -> LoopResult:
    """Run the rounds of ``plan``, going on after whatever is finished in its folder.

    ``screen`` shows what happens (default: ``say`` is told, a line at a time); ``ask`` has to agree to every
    round's plan before it is carried out.

    Raises:
        UsageError: the folder holds rounds of another plan, or a test set overlaps with what a step sees.
        DatakitError: any step that fails; what is finished stays, and the same call goes on from there.
    """
    screen = screen or PlainScreen(say)
    with FolderLock(plan.out):
        _require_same(plan)
        remove_leftovers(plan.out)
        manifest = Manifest.begin(
            "loop", {"rounds": plan.rounds, "model": plan.model}, seed=plan.seed,
            inputs=[part.label_file for part in (*plan.domain, plan.val, *plan.general, *plan.guard)],
        )  # fmt: skip
        write_manifest(plan.out, manifest)
        result = _rounds(plan, screen, ask)
        counts = {"rounds": len(result.rounds) - 1}
        write_manifest(plan.out, manifest.ended("done", counts))
    return result


def _rounds(plan: LoopPlan, screen: Screen, ask: Ask | None) -> LoopResult:
    base, floor = _base(plan, screen)
    rows, stopped = [base], None
    sets = named_sets(plan)
    _publish(LoopResult(tuple(rows), base.model, plan.out), sets, screen)
    for number in range(1, plan.rounds + 1):
        folder = round_folder(plan.out, number)
        if not folder.summary.exists():
            stopped = reason_to_stop(plan, rows, seconds_spent(plan.out))
        row = None if stopped else _round(plan, folder, rows[-1].model, floor, screen, ask)
        if row is None:
            stopped = stopped or DECLINED.format(number, folder.targets)
            break
        rows.append(row)
        _publish(LoopResult(tuple(rows), row.model, plan.out), sets, screen)
    result = LoopResult(tuple(rows), rows[-1].model, plan.out, stopped)
    if stopped:
        screen.say(f"stopped: {stopped}")
        _publish(result, sets, screen)
    return result


def _publish(result: LoopResult, sets: Mapping[str, Part], screen: Screen) -> None:
    from datakit.loop.page import loop_page

    data_dirs: dict[str, Path] = {
        name: part.data_dir or part.label_file.parent for name, part in sets.items()
    }
    write_json(result.out / TRACK, result.to_dict())
    atomic_write(result.out / PAGE, loop_page(result, data_dirs))
    screen.table(result)
