"""Builds a recogniser from stored weights and checks that it is the network the weights were trained in.

Some architecture keys change what a network computes without changing a shape: with ``last_pool_kernel_size:
[3, 2]`` (PaddleOCR's newer default, and what the guide's snippet leads to) PP-OCRv3's weights load and read
badly. So every stored model carries a probe, its answer to a fixed picture, and loading compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.charset import Charset
from datakit.models import MODELS, model_folder
from datakit_train.architectures import FAMILIES, build_network, family_of
from datakit_train.framework import import_paddle
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.store import StoredModel, load_model

Array = npt.NDArray[Any]

# Of PP-OCRv3 and v4; a :class:`Recognizer` says its own.
HEIGHT = 48
STRIDE = 8
_PROBE_WIDTH = 320
_PROBE_TOLERANCE = 0.02
_DIGIT_HEIGHT = 32

# Digits as seven segments (top, upper left, upper right, middle, lower left, lower right, bottom).
_SEGMENTS = (
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
)
_SEGMENT_BOXES = (
    (0, 3, 0, 16), (0, 17, 0, 3), (0, 17, 13, 16), (14, 17, 0, 16), (14, 31, 0, 3), (14, 31, 13, 16),
    (28, 31, 0, 16),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recognizer:
    """A network in evaluation mode with the dictionary it answers in."""

    network: Any
    charset: Charset
    architecture: Mapping[str, Any]
    source: str
    licence: str

    @property
    def height(self) -> int:
        """Of the input, in px."""
        return family_of(self.architecture).height

    @property
    def stride(self) -> int:
        """Px of width a CTC time step."""
        return family_of(self.architecture).stride


def probe_input(height: int = HEIGHT) -> npt.NDArray[np.float32]:
    """The fixed picture: 0123456789 in seven segments, 1 x 3 x ``height`` x 320, in [-1, 1].

    Drawn without any library, whose next version might draw otherwise.
    """
    page = np.ones((height, _PROBE_WIDTH), np.float32)
    first = (height - _DIGIT_HEIGHT) // 2
    for digit, segments in enumerate(_SEGMENTS):
        left = 12 + digit * 30
        for lit, (top, bottom, start, end) in zip(segments, _SEGMENT_BOXES, strict=True):
            if lit == "1":
                page[first + top : first + bottom, left + start : left + end] = -1
    return np.ascontiguousarray(np.broadcast_to(page, (1, 3, height, _PROBE_WIDTH)))


def measure_probe(network: Any) -> tuple[float, ...]:
    """The largest logit of every time step for the probe picture, network in evaluation mode."""
    paddle = import_paddle()
    training = network.training
    network.eval()
    with paddle.no_grad():
        logits = network(paddle.to_tensor(probe_input(network.height)))
    if training:
        network.train()
    return tuple(float(value) for value in logits.max(axis=-1).numpy()[0])


def load_tensors(
    network: Any, tensors: Mapping[str, Array], *, allow_partial: bool = False
) -> tuple[str, ...]:
    """Put ``tensors`` into ``network``; returns the names that were left at their initial values.

    Raises:
        WeightsError: a shape differs, or a name is missing and ``allow_partial`` is false. All are named at
        once.
    """
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    misshapen = [
        f"{name} {tuple(tensors[name].shape)} instead of {shape}"
        for name, shape in wanted.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]
    missing = tuple(name for name in wanted if name not in tensors)
    if misshapen:
        raise WeightsError(f"{len(misshapen)} tensors have another shape: {', '.join(misshapen[:5])}")
    if missing and not allow_partial:
        share = 100 * (len(wanted) - len(missing)) / len(wanted)
        left_over = [name for name in tensors if name not in wanted]
        unused = f"; left over: {_some(left_over)}" if left_over else ""
        raise WeightsError(
            f"the weights cover {share:.1f} % of the network; missing: {_some(missing)}{unused}. "
            "Use --allow-partial to start those at random"
        )
    # Names that are left out would be warned about one by one.
    own = network.state_dict()
    network.set_state_dict(
        {name: np.asarray(tensors[name], np.float32) if name in tensors else own[name] for name in wanted}
    )
    return missing


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def check_architecture(network: Any, expected: tuple[float, ...]) -> None:
    """Compare the network's probe with ``expected``; an empty ``expected`` checks nothing.

    Raises:
        WeightsError: they differ, which means that the network is built otherwise than the one the weights
        come from.
    """
    if not expected:
        return
    found = measure_probe(network)
    if len(found) != len(expected):
        raise WeightsError(
            f"the network gives {len(found)} time steps, the weights were trained with {len(expected)}"
        )
    answers, wanted = np.array(found), np.array(expected)
    # numpy's maximum, unlike Python's, is NaN where any is.
    worst = float(np.max(np.abs(answers - wanted) / np.maximum(1.0, np.abs(wanted))))
    if not worst <= _PROBE_TOLERANCE:
        raise WeightsError(
            f"the network does not answer as the one these weights come from (probe differs by {worst:.2f}). "
            "Shapes agree, so a setting without a shape is wrong: PP-OCRv3 needs Architecture.Backbone."
            "last_pool_kernel_size: [2, 2]"
        )


def assemble(model: StoredModel, architecture: Mapping[str, Any] | None = None) -> Recognizer:
    """Build, fill and check the network of a stored model; ``architecture`` overrides what is stored."""
    chosen = dict(architecture or model.architecture)
    network = build_network(chosen, len(model.characters) + 1)
    load_tensors(network, model.tensors)
    check_architecture(network, model.probe)
    network.eval()
    return Recognizer(network, Charset(model.characters, ()), chosen, model.source, model.licence)


def find_model(name_or_path: str | Path) -> Path:
    """The folder of a pulled model by name, or of a checkpoint by path.

    Raises:
        WeightsError: neither; says how to get it.
    """
    path = Path(name_or_path)
    if str(name_or_path) in MODELS:
        path = model_folder(str(name_or_path))
        if not (path / "model.json").exists():
            raise WeightsError(
                f"model {name_or_path} is not here yet; get it with: datakit models pull {name_or_path}"
            )
    elif not (path / "model.json").exists():
        names = ", ".join(sorted(MODELS))
        raise WeightsError(f"{name_or_path} is neither a model ({names}) nor a folder with model.json")
    return path


def load_recognizer(name_or_path: str | Path) -> Recognizer:
    """The recogniser called ``ppocrv3-rec``, or in a checkpoint folder.

    Raises:
        WeightsError: not there, damaged, not a recogniser, or built otherwise than trained.
    """
    folder = find_model(name_or_path)
    model = load_model(folder)
    if model.architecture.get("name") not in FAMILIES:
        raise WeightsError(f"{folder} holds {model.architecture.get('name')}, not a recogniser")
    return assemble(model)
