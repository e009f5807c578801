"""The families of recognisers that datakit builds: their settings, input height and time steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from datakit_train.framework import import_paddle
from datakit_train.weights.pdparams import WeightsError

PPOCRV2_REC: dict[str, Any] = {"name": "ppocrv2_rec", "scale": 0.5, "hidden_size": 64, "mid_channels": 96}
PPOCRV3_REC: dict[str, Any] = {"name": "ppocrv3_rec", "scale": 0.5, "last_pool_kernel_size": [2, 2]}
PPOCRV4_REC: dict[str, Any] = {"name": "ppocrv4_rec", "scale": 0.95, "dims": 120}
# Of the published PP-OCRv4 before its pool: 512 * 0.95, rounded to a multiple of 16.
_V4_CHANNELS = 480


def _pair(value: Any) -> tuple[int, int]:
    height, width = (int(side) for side in value)
    return height, width


@dataclass(frozen=True, slots=True)
class Family:
    """``height``: of the input, in px; ``stride``: px of width a CTC time step; ``classifier``: its layer.

    ``settings`` maps a key of the architecture to what reads its value; a key that is left out has the
    default of PaddleOCR's published model.
    """

    height: int
    stride: int
    classifier: str
    settings: Mapping[str, Callable[[Any], Any]]


FAMILIES: dict[str, Family] = {
    "ppocrv2_rec": Family(32, 4, "head.fc2", {"scale": float, "hidden_size": int, "mid_channels": int}),
    "ppocrv3_rec": Family(48, 8, "head.fc", {"scale": float, "last_pool_kernel_size": _pair}),
    "ppocrv4_rec": Family(48, 8, "head.fc", {"scale": float, "dims": int}),
}


def family_of(architecture: Mapping[str, Any]) -> Family:
    """The family that ``architecture["name"]`` names.

    Raises:
        WeightsError: there is none of that name.
    """
    name = architecture.get("name")
    if not isinstance(name, str) or name not in FAMILIES:
        raise WeightsError(f"architecture {name!r} is not one of {', '.join(sorted(FAMILIES))}")
    return FAMILIES[name]


def build_network(architecture: Mapping[str, Any], classes: int) -> Any:
    """A freshly initialised network.

    Raises:
        WeightsError: the architecture is not one that datakit builds, or has a key it does not know.
    """
    family = family_of(architecture)
    name = architecture["name"]
    given = {key: value for key, value in architecture.items() if key != "name"}
    if unknown := sorted(set(given) - set(family.settings)):
        raise WeightsError(f"architecture {name} has no setting {unknown[0]!r}")
    try:
        settings = {key: family.settings[key](value) for key, value in given.items()}
    except (TypeError, ValueError) as error:
        raise WeightsError(f"architecture {dict(architecture)} makes no sense ({error})") from error
    import_paddle()
    from datakit_train.models import recognizer as models

    builders: dict[str, Callable[..., Any]] = {
        "ppocrv2_rec": models.ppocrv2_rec,
        "ppocrv3_rec": models.ppocrv3_rec,
        "ppocrv4_rec": models.ppocrv4_rec,
    }
    return builders[name](classes, **settings)


def infer_architecture(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The architecture of weights, by the names and shapes of their tensors (PaddleOCR's names).

    What has no shape (``last_pool_kernel_size``) is taken from the published model.

    Raises:
        WeightsError: they are not of a recogniser that datakit builds.
    """

    def size(name: str, axis: int) -> int:
        if name not in shapes or len(shapes[name]) <= axis:
            raise WeightsError(f"these are not the weights of a CTC recogniser: no tensor {name!r} that fits")
        return shapes[name][axis]

    if "backbone.blocks2.0.dw_conv.lab.scale" in shapes:
        channels = size("backbone.blocks6.3.dw_conv.conv_kxk.0.conv.weight", 0)
        scale = PPOCRV4_REC["scale"] if channels == _V4_CHANNELS else channels / 512
        return {**PPOCRV4_REC, "scale": scale, "dims": size("head.fc.weight", 0)}
    scale = size("backbone.conv1._conv.weight", 0) / 32
    if "head.fc1.weight" in shapes:
        hidden = size("neck.encoder.lstm.weight_hh_l0", 1)
        return {
            **PPOCRV2_REC,
            "scale": scale,
            "hidden_size": hidden,
            "mid_channels": size("head.fc1.weight", 1),
        }
    size("neck.encoder.conv1x1.conv.weight", 0)
    return {**PPOCRV3_REC, "scale": scale}
