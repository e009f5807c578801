"""Entry point of ``datakit``: registers the commands, turns errors and signals into exit codes.

0 done; 1 finished and the answer is no; 2 wrong use or missing input; 3 internal error; 130 Ctrl-C; 143
SIGTERM; 141 the reader of a pipe has gone.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

import typer

from datakit import __version__
from datakit.cli import COMMANDS, GROUPS, spelled
from datakit.errors import DatakitError

# Commands that write as they go.
_RESUMED = frozenset({"demo", "finetune", "loop", "synth", "synth-pages"})
_KEPT = "what was finished is kept, the same command goes on from there"
_LOST = "nothing half done is left, the same command begins anew"
READER_GONE = 128 + signal.SIGPIPE
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

app = typer.Typer(
    name="datakit",
    help=(
        "The data loop for fine-tuning PP-OCR: "
        "audit, synth, mix, finetune, predict, badcases, and round again."
    ),
    no_args_is_help=True,
    # Rich reads [/b] in a label as markup and crashes on it.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Stopped(BaseException):
    """A signal asked the process to end.

    Not KeyboardInterrupt, which Typer turns into exit code 1.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.exit_code = 128 + signum


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"datakit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", help="Show the version and exit.", callback=_print_version, is_eager=True
    ),
) -> None:
    pass


for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)


def _stop(signum: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(signum)


def _say_stopped(stopped: Stopped) -> NoReturn:
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    typer.echo(f"datakit: stopped; {_KEPT if command in _RESUMED else _LOST}", err=True)
    sys.exit(stopped.exit_code)


def _say_hidden_stop(error: BaseException | None) -> None:
    """End as stopped where ``error`` was raised while cleaning up after a signal.

    Such as shutil.rmtree, which closes its folder a second time when it is interrupted there.
    """
    while error is not None:
        if isinstance(error, Stopped):
            _say_stopped(error)
        error = error.__context__


def main() -> NoReturn:
    """Run the command line and exit with the code that the design gives."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        app(spelled(sys.argv[1:]))
    except DatakitError as error:
        _say_hidden_stop(error)
        typer.echo(f"datakit: {error}", err=True)
        sys.exit(error.exit_code)
    except Stopped as stopped:
        _say_stopped(stopped)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            # Typer ends with 1, which would say that the answer is no.
            sys.exit(READER_GONE)
        raise
    except OSError as error:
        _say_hidden_stop(error)
        if error.errno not in _NO_ROOM:
            _report_bug()
        # What is left in the buffer would fail again, and loudly, at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        typer.echo(f"datakit: the output cannot be written ({error.strerror})", err=True)
        sys.exit(2)
    except Exception:  # noqa: BLE001 - the last door: everything below raises DatakitError or is a bug of ours
        _report_bug()
    sys.exit(0)


def _report_bug() -> NoReturn:
    traceback.print_exc()
    typer.echo("datakit: internal error, please report it with the lines above", err=True)
    sys.exit(3)


if __name__ == "__main__":
    main()
