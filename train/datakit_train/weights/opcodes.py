"""Looks at the instructions of a pickle before the unpickler does.

The standard unpickler trusts them further than one should: a memo index of 32 bits makes it reserve 64 GB.
"""

from __future__ import annotations

import pickletools

from datakit.errors import InputError

# What a file of tensors never holds: extension codes, persistent ids, buffers that lie elsewhere.
# (Instructions that name a callable are the unpickler's business: it refuses them by that name.)
_REFUSED = frozenset({"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEXT_BUFFER"})
_MEMO = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})


class PickleOpcodeError(InputError):
    """An instruction that a file of tensors has no use for."""


def check_opcodes(raw: bytes) -> None:
    """Walk the instructions of ``raw`` up to STOP, without executing any.

    Raises:
        PickleOpcodeError: a refused instruction, or a memo index larger than the number of instructions.
        ValueError: not a pickle, or a torn one.
    """
    for count, (opcode, argument, position) in enumerate(pickletools.genops(raw)):
        if opcode.name in _REFUSED:
            raise PickleOpcodeError(f"holds the instruction {opcode.name} at byte {position}; refused")
        if opcode.name in _MEMO and int(argument or 0) > count:
            raise PickleOpcodeError(f"holds the memo index {argument} at byte {position}; refused")
