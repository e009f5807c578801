"""One batch by heart: if that fails, data, labels or code are wrong, and no long run can help."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from datakit.mix import Mix
from datakit.progress import Progress
from datakit_train.batches import Batch, load_batch, plan_epoch
from datakit_train.decode import greedy_decode
from datakit_train.framework import import_paddle
from datakit_train.preflight import load_for
from datakit_train.prepare import make_engine
from datakit_train.recognizer import Recognizer, assemble
from datakit_train.settings import Settings
from datakit_train.weights.store import StoredModel

STEPS = 100
# Several times a fine-tuning rate; at 1e-3 a trained network falls apart before it learns.
RATE = 1e-4
_LEARNED = 0.9


@dataclass(frozen=True, slots=True)
class Overfit:
    """``read`` of ``lines`` are read right after ``steps``; losses of the first and the last step."""

    steps: int
    lines: int
    read: int
    first_loss: float
    last_loss: float

    @property
    def learned(self) -> bool:
        """Whether nine lines of ten are read."""
        return self.read >= _LEARNED * self.lines

    def describe(self) -> str:
        """One sentence."""
        return (
            f"one batch of {self.lines} lines, {self.steps} steps: loss {self.first_loss:.3g} -> "
            f"{self.last_loss:.3g}, {self.read} read right: {'learned' if self.learned else 'NOT learned'}"
        )

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"schema_version": 1, "learned": self.learned, **asdict(self)}


def overfit_one_batch(
    mix: Mix, base: StoredModel, settings: Settings, *, allow_outside: bool = False
) -> Overfit:
    """Train the first batch of the first epoch over and over, without augmentation; nothing is kept.

    ``settings.steps`` (default 100) and ``settings.learning_rate`` (default 1e-4) count.

    Raises:
        DatakitError: any bad input.
    """
    samples = load_for(mix, base, settings, allow_outside=allow_outside)
    recognizer = assemble(base)
    engine = make_engine(recognizer.network, settings)
    plan = plan_epoch(samples, batch_size=settings.batch_size, seed=settings.seed, epoch=0)[0]
    batch = load_batch(plan, seed=settings.seed, augment=False)
    steps, rate = settings.steps or STEPS, settings.learning_rate or RATE
    losses = []
    with Progress(steps, "overfit") as progress:
        for step in range(steps):
            losses.append(engine.step(batch, step, rate))
            progress.advance(1, note=f"loss {losses[-1]:.3f}")
    return Overfit(steps, len(batch.lengths), _read_right(recognizer, batch), losses[0], losses[-1])


def _read_right(recognizer: Recognizer, batch: Batch) -> int:
    """Lines whose reading is their label, network in evaluation mode."""
    paddle = import_paddle()
    recognizer.network.eval()
    with paddle.no_grad():
        logits = recognizer.network(paddle.to_tensor(batch.images))
        best, scores = logits.argmax(axis=-1).numpy().tolist(), logits.max(axis=-1).numpy().tolist()
    texts = [greedy_decode(c, s, recognizer.charset)[0] for c, s in zip(best, scores, strict=True)]
    chars = recognizer.charset.chars
    labels = [
        "".join(chars[label - 1] for label in row[:length])
        for row, length in zip(batch.labels.tolist(), batch.lengths.tolist(), strict=True)
    ]
    return sum(text == label for text, label in zip(texts, labels, strict=True))
