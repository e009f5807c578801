"""What the processor's libraries are told before Paddle is imported, so that they run at full speed."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
_NEEDED = frozenset({"avx2", "fma"})
_MKL_KIND = "MKL_DEBUG_CPU_TYPE"
_AVX2_KIND = "5"

# mallopt's parameters (malloc.h) and what the user may have set instead.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MALLOC_VARIABLES = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
_MAPPED_FROM = 256 * 1024 * 1024
_KEPT_FREE = 1024 * 1024 * 1024


def is_slowed_by_mkl(cpuinfo: str) -> bool:
    """Whether ``/proc/cpuinfo`` shows a processor with AVX2 and FMA that is not Intel's.

    The matrix library in Paddle's CPU wheels (Intel MKL of 2019) asks for the maker and takes its SSE code
    elsewhere: a third to a fifth of the speed of the same processor's AVX2.
    """
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields.get("vendor_id", "GenuineIntel") != "GenuineIntel" and set(
        fields.get("flags", "").split()
    ).issuperset(_NEEDED)


def tell_mkl(environment: MutableMapping[str, str], cpuinfo: Path = CPUINFO) -> bool:
    """Name the processor's kind to MKL where it would take it for an old one; a value of the user's stays.

    Newer versions of MKL do not look at the variable. Says whether it was set.
    """
    if _MKL_KIND in environment or not cpuinfo.exists():
        return False
    if not is_slowed_by_mkl(cpuinfo.read_text("utf-8", "replace")):
        return False
    environment[_MKL_KIND] = _AVX2_KIND
    return True


def keep_memory(environment: Mapping[str, str]) -> bool:
    """Let the C library reuse large blocks instead of handing each back to the system.

    A step allocates and frees the same maps again and again; every new block's pages are cleared by the
    system first, which was a quarter of a step at a batch of 32. Only where the C library is glibc, and the
    user has set nothing else; says whether it was done.
    """
    if not sys.platform.startswith("linux") or any(name in environment for name in _MALLOC_VARIABLES):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    return bool(
        library.mallopt(_MMAP_THRESHOLD, _MAPPED_FROM) and library.mallopt(_TRIM_THRESHOLD, _KEPT_FREE)
    )


def prepare_host() -> None:
    """All of the above for this process."""
    tell_mkl(os.environ)
    keep_memory(os.environ)
