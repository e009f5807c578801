"""Holding the answers of the tuned network to those of the model that it came from.

Learning without Forgetting (arXiv 1606.09282) for CTC: at every time step the student's distribution over the
classes is drawn to the frozen teacher's by their Kullback-Leibler divergence. Its unit is that of the CTC
loss: nats a line, summed over the time steps, mean over the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from datakit.errors import InputError
from datakit.images import probe, resolve_image
from datakit.labels import RecLine, read_rec
from datakit.mix import Mix, Source
from datakit_train.architectures import family_of
from datakit_train.batches import load_batch, plan_epoch, steps_per_epoch
from datakit_train.framework import import_paddle
from datakit_train.label_sets import sources_of
from datakit_train.ranks import ALONE, Ranks
from datakit_train.recognizer import assemble
from datakit_train.samples import Dropped, Sample, SampleSet, bucket_width
from datakit_train.settings import Settings
from datakit_train.weights.store import StoredModel

Say = Callable[[str], None]
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def divergence(teacher: Any, student: Any) -> Any:
    """Mean over the lines of KL(teacher || student) summed over the time steps.

    Both are logits, N x T x classes; no gradient flows into ``teacher``.
    """
    paddle = import_paddle()
    functional = paddle.nn.functional

    def crossed(logits: Any) -> Any:
        # One fused kernel each way. Paddle's log_softmax takes 2.2 s for 8 x 60 x 6625 on a CPU, this 0.02 s.
        return functional.cross_entropy(logits, wanted, soft_label=True, axis=-1, reduction="sum")

    with paddle.no_grad():
        wanted = functional.softmax(teacher, axis=-1)
        entropy = crossed(teacher)
    return (crossed(student) - entropy) / student.shape[0]


class Distiller:
    """A frozen teacher, and the pictures on which the student is held to it.

    Without ``pictures`` those are the training batch's own. With them every step takes ``batch_size`` of
    theirs, a function of (seed, step), so that a resumed run sees the same ones. Their labels play no part.
    ``same_backbone``: the student's backbone is the teacher's and stays so.
    """

    def __init__(
        self,
        teacher: Any,
        weight: float,
        pictures: SampleSet | None,
        *,
        batch_size: int,
        seed: int,
        same_backbone: bool = False,
        ranks: Ranks = ALONE,
    ) -> None:
        self._teacher = teacher
        self._same_backbone = same_backbone
        self._weight = weight
        self._pictures = pictures
        self._batch_size = batch_size
        self._seed = seed
        self._ranks = ranks
        self._plans: tuple[int, list[Any]] = (-1, [])
        self._per_epoch = (
            1 if pictures is None else steps_per_epoch(pictures, batch_size=batch_size, seed=seed)
        )

    def loss(self, network: Any, images: Any, logits: Any, number: int, share: float) -> Any:
        """What step ``number`` adds to its loss.

        ``images`` and the student's ``logits`` are of its batch, of which this process has ``share``.
        """
        paddle = import_paddle()
        if self._pictures is not None:
            loaded, share = self._load(number)
            if not len(loaded):
                return paddle.zeros([])
            wanted, logits = self._read(network, paddle.to_tensor(loaded))
        else:
            with paddle.no_grad():
                wanted = self._teacher(images)
        return (self._weight * share) * divergence(wanted.astype("float32"), logits.astype("float32"))

    def _read(self, network: Any, images: Any) -> tuple[Any, Any]:
        """Logits of the teacher and of the student; a backbone that stays the teacher's reads once."""
        paddle = import_paddle()
        if not self._same_backbone:
            with paddle.no_grad():
                wanted = self._teacher(images)
            return wanted, network(images)
        with paddle.no_grad():
            features = self._teacher.backbone(images)
            wanted = self._teacher.head(self._teacher.neck(features))
        return wanted, network.head(network.neck(features))

    def _load(self, number: int) -> tuple[Any, float]:
        """This process's pictures of a step, and its share; epochs of their own, one after the other."""
        assert self._pictures is not None
        epoch, position = divmod(number, self._per_epoch)
        if self._plans[0] != epoch:
            plans = plan_epoch(self._pictures, batch_size=self._batch_size, seed=self._seed, epoch=epoch)
            self._plans = epoch, plans
        plan = self._plans[1][position]
        part = replace(plan, items=tuple(self._ranks.part(plan.items)))
        return load_batch(part, seed=self._seed, augment=True).images, len(part.items) / len(plan.items)


def _source(path: Path) -> Mix:
    """``path`` as sources; a label file's or folder's pictures are all taken once an epoch."""
    return Mix((Source(path, path, "general"),)) if path.is_dir() else sources_of([path])


def _lines(path: Path) -> Iterable[RecLine]:
    """The pictures of a folder, or of a label file whatever its labels are."""
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES)
        return [RecLine(str(path), n, (str(f.relative_to(path)),), "") for n, f in enumerate(found, 1)]
    return read_rec(path)[0]


def load_pictures(path: Path, base: StoredModel, settings: Settings, *, allow_outside: bool) -> SampleSet:
    """Pictures of a label file, of a folder and those below it, or of the sources of a mix.yaml; what cannot
    be read is left out.

    Raises:
        InputError: there is not one that can be read.
    """
    mix, dropped = _source(path), list[Dropped]()
    samples = tuple(
        tuple(_samples(source, base, settings, dropped, allow_outside=allow_outside))
        for source in mix.sources
    )
    if not any(samples):
        raise InputError("holds no picture that can be read", file=path)
    height = family_of(base.architecture).height
    return SampleSet(mix, samples, tuple(dropped), (), height, settings.fixed_batch_norm)


def _samples(
    source: Source, base: StoredModel, settings: Settings, dropped: list[Dropped], *, allow_outside: bool
) -> Iterator[Sample]:
    family = family_of(base.architecture)
    for line in _lines(source.label_file):
        try:
            paths = tuple(
                resolve_image(source.data_dir, image, allow_outside=allow_outside) for image in line.images
            )
            infos = [probe(path) for path in paths]
        except InputError as error:
            dropped.append(Dropped(line.file, line.line, str(error)))
            continue
        widths = (
            bucket_width(
                info.width,
                info.height,
                (),
                settings.max_width,
                target_height=family.height,
                stride=family.stride,
            )
            for info in infos
        )
        yield Sample(line, paths, (), max(widths))


def make_distiller(
    base: StoredModel,
    settings: Settings,
    *,
    ranks: Ranks = ALONE,
    allow_outside: bool = False,
    say: Say = lambda _: None,
) -> Distiller | None:
    """The distiller of ``settings``; None where they ask for none.

    Raises:
        InputError: ``distill_on`` holds no picture.
    """
    if not settings.distill:
        return None
    pictures = None
    if settings.distill_on is not None:
        path = Path(settings.distill_on)
        pictures = load_pictures(path, base, settings, allow_outside=allow_outside)
        say(
            f"{path}: {pictures.lines_in - len(pictures.dropped)} pictures to distil on, "
            f"{len(pictures.dropped)} left out"
        )
    teacher = assemble(base).network
    for parameter in teacher.parameters():
        parameter.stop_gradient = True
    size = max(1, settings.batch_size // 2)
    return Distiller(
        teacher,
        settings.distill,
        pictures,
        batch_size=size,
        seed=settings.seed,
        same_backbone=settings.freeze == "backbone" and settings.fixed_batch_norm,
        ranks=ranks,
    )
