"""``--devices``: one process on a chosen device, or one process for each of several."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from datakit.errors import UsageError
from datakit_train.framework import available_cores, import_paddle

CPU = "cpu"
# What every process runs: the command line once more.
_AGAIN = "from datakit.cli.main import main; main()"


def parse_devices(text: str) -> tuple[str, ...]:
    """``0,1`` as ("0", "1"), ``cpu,cpu`` as two processes on the CPU.

    Raises:
        UsageError: neither numbers of GPUs, each once, nor ``cpu`` alone.
    """
    devices = tuple(part.strip() for part in text.split(","))
    if all(device == CPU for device in devices):
        return devices
    if not all(device.isdecimal() for device in devices) or len(set(devices)) < len(devices):
        raise UsageError(f"--devices {text!r}: give numbers of GPUs (0,1), or cpu")
    return devices


def use_device(device: str) -> None:
    """Compute on a GPU by number, or on the CPU.

    Raises:
        UsageError: there is no such GPU, or this Paddle is the build for CPUs.
    """
    paddle = import_paddle()
    if device == CPU:
        paddle.set_device(CPU)
        return
    require_gpus((device,))
    paddle.set_device(f"gpu:{int(device)}")


def require_gpus(devices: Sequence[str]) -> None:
    """Fail before any process is started.

    Raises:
        UsageError: a GPU is not there, or this Paddle is the build for CPUs.
    """
    paddle = import_paddle()
    if not paddle.is_compiled_with_cuda():
        raise UsageError(
            f"--devices {','.join(devices)}: this Paddle is for CPUs; 'datakit doctor' names the other build"
        )
    count = paddle.device.cuda.device_count()
    if missing := [device for device in devices if int(device) >= count]:
        raise UsageError(f"--devices: there is no GPU {missing[0]}; {count} found, counted from 0")


def launch_command(devices: Sequence[str], arguments: Sequence[str], logs: Path) -> list[str]:
    """The command line of ``paddle.distributed.launch`` for a process a device."""
    where = ["--nproc_per_node", str(len(devices))] if devices[0] == CPU else ["--devices", ",".join(devices)]
    launcher = [sys.executable, "-m", "paddle.distributed.launch", *where]
    # It does not retry: a run goes on from its checkpoint when its command is given again.
    launcher += ["--log_dir", str(logs), "--log_level", "WARNING", "--max_restart", "0"]
    # The launcher takes every --option for its own, even behind the program's name: they go inside the code.
    code = f"import sys; sys.argv[1:] = {list(arguments)!r}\n{_AGAIN}"
    return [*launcher, sys.executable, "-c", code]


def launch(devices: Sequence[str], arguments: Sequence[str], logs: Path) -> int:
    """Run ``datakit`` with ``arguments`` in a process for each device; returns the exit code.

    What the first process says goes to stderr, what each of them says to a ``workerlog`` in ``logs``.

    Raises:
        UsageError: a GPU is not there.
    """
    environment = {"GLOG_minloglevel": "2", "PYTHONWARNINGS": "ignore:No ccache found", **os.environ}
    if devices[0] == CPU:
        environment["PADDLE_DISTRI_BACKEND"] = "gloo"
        threads = str(max(1, available_cores() // len(devices)))
        environment |= {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    else:
        require_gpus(devices)
    # Beside them Paddle writes every variable of the environment, which nobody wants in an output folder.
    with tempfile.TemporaryDirectory(prefix="datakit-logs-") as folder:
        code = _run(launch_command(devices, arguments, Path(folder)), environment)
        logs.mkdir(parents=True, exist_ok=True)
        for log in Path(folder).glob("workerlog.*"):
            shutil.copyfile(log, logs / log.name)
    return code


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    with subprocess.Popen(command, stdout=sys.stderr, env=environment) as launcher:
        try:
            return launcher.wait()
        finally:
            if launcher.poll() is None:
                launcher.terminate()
                launcher.wait()
