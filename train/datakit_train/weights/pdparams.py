"""Reads ``.pdparams`` without running what is pickled in them.

Paddle pickles a dict of name -> numpy array, nested tensors as ``builtins.tuple``. A pickle can name any
callable, so the unpickler here resolves a handful of names to inert stand-ins and refuses every other one by
name, among them ``builtins.eval``, which the DenseTensor form of Paddle 2.0 uses.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.errors import InputError
from datakit_train.weights.opcodes import check_opcodes

Array = npt.NDArray[Any]

_PLAIN_DTYPE = re.compile(r"[<>=|]?[fiub][1248]")
_MAX_FILE_BYTES = 2 * 1024**3
_STRUCTURED_NAMES = "StructuredToParameterName@@"


class WeightsError(InputError):
    """A weights file that cannot be used: refused content, missing or misshapen tensors."""


class _Dtype:
    """Stands in for ``numpy.dtype``: remembers code and byte order, accepts plain numbers only."""

    def __init__(self, code: str, *_align_and_copy: object) -> None:
        if not isinstance(code, str) or not _PLAIN_DTYPE.fullmatch(code):
            raise WeightsError(f"holds an array of type {code!r}; only plain numbers are read")
        self.code = code.lstrip("<>=|")
        self.order = code[0] if code[0] in "<>" else "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.order = state[1]

    def resolve(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code)


class _Array:
    """Stands in for ``numpy.ndarray``: keeps shape, type and bytes until the pickle is read."""

    array: Array | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran, raw = state
        self.array = _build(raw, dtype, shape, "F" if fortran else "C")


def _build(raw: Any, dtype: Any, shape: Any, order: str) -> Array:
    if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes | bytearray | pickle.PickleBuffer):
        raise WeightsError("holds an array without plain bytes")
    plain = dtype.resolve()
    sizes = tuple(int(size) for size in shape)
    if any(size < 0 for size in sizes) or math.prod(sizes) * plain.itemsize != len(bytes(raw)):
        raise WeightsError(f"holds an array of shape {sizes} whose bytes do not match")
    flat: Array = np.frombuffer(bytes(raw), dtype=plain).copy()
    return flat.reshape(sizes, order="F" if order == "F" else "C")


def _reconstruct(_subtype: object, _shape: object, _code: object) -> _Array:
    return _Array()


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: str) -> _Array:
    holder = _Array()
    holder.array = _build(raw, dtype, shape, order)
    return holder


def _latin1(text: str, encoding: str) -> bytes:
    """Protocol 2 writes bytes as text to be encoded; only the encoding that it uses is honoured."""
    if encoding != "latin1":
        raise WeightsError(f"encodes bytes as {encoding!r}")
    return text.encode("latin1")


class _Callable:
    """A stand-in that a pickle can call and cannot change: BUILD would write into a bare function."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, _state: object) -> None:
        raise WeightsError("sets the state of a callable; refused, nothing was executed")


_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("builtins", "tuple"): tuple,
    ("__builtin__", "tuple"): tuple,
    ("collections", "OrderedDict"): dict,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _Callable(_reconstruct),
    ("numpy._core.multiarray", "_reconstruct"): _Callable(_reconstruct),
    ("numpy.core.numeric", "_frombuffer"): _Callable(_from_buffer),
    ("numpy._core.numeric", "_frombuffer"): _Callable(_from_buffer),
    ("_codecs", "encode"): _Callable(_latin1),
}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        allowed = _ALLOWED.get((module, name))
        if allowed is None:
            raise WeightsError(f"names {module}.{name}, which could run code; refused, nothing was executed")
        return allowed


# What a hostile or torn pickle makes the standard unpickler (and the stand-ins above) raise.
_PICKLE_ERRORS = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    MemoryError,
    OverflowError,
    RecursionError,
)


def _tensor(value: Any) -> Array | None:
    """The array in ``value``: bare, or the second of Paddle's (name, array) pair; None for anything else."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        value = value[1]
    return value.array if isinstance(value, _Array) else None


def read_pdparams(path: Path) -> dict[str, Array]:
    """Return name -> array of a Paddle ``.pdparams`` (or ``.pdopt``) file.

    Raises:
        WeightsError: missing, over 2 GiB, not a pickle of plain arrays, or naming a callable that is not on
            the short list (the message holds the name; nothing has been run).
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise WeightsError("is over 2 GiB", file=path)
        raw = path.read_bytes()
        check_opcodes(raw)
        content = _RestrictedUnpickler(BytesIO(raw)).load()
    except OSError as error:
        raise WeightsError(f"cannot be read ({error.strerror})", file=path) from error
    except InputError as error:
        raise error if error.file else WeightsError(str(error), file=path) from error
    except _PICKLE_ERRORS as error:
        raise WeightsError(f"is not a .pdparams file ({type(error).__name__}: {error})", file=path) from error
    if not isinstance(content, dict):
        raise WeightsError(f"holds a {type(content).__name__}, not a dict of tensors", file=path)
    return _tensors(content, path)


def _tensors(content: dict[Any, Any], path: Path) -> dict[str, Array]:
    tensors: dict[str, Array] = {}
    for name, value in content.items():
        if name == _STRUCTURED_NAMES:
            continue
        array = _tensor(value)
        if array is None:
            raise WeightsError(f"entry {name!r} is a {type(value).__name__}, not a tensor", file=path)
        tensors[str(name)] = array
    if not tensors:
        raise WeightsError("holds no tensor", file=path)
    return tensors
