"""A benchmark's process: bounded in time, ended together with us."""

import os
import signal
import subprocess
import sys

_GRACE = 15.0


def finish(command: list[str], seconds: float) -> str | None:
    """Runs the command, its output passed on; what went wrong, or None. What it started ends with it."""
    process = subprocess.Popen(command, env=os.environ)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"not done after {seconds:g} s"
    except KeyboardInterrupt:
        _end(process)
        sys.exit(130)
    return None if code == 0 else f"it ended with code {code}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)  # an orderly end first: it stops servers and services of its own
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
