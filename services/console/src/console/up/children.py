"""Child processes: started with a log file each, watched, and ended together.

They end with this process, however it ends; what one said last is shown when it ends by itself.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from waybill_common.embedded.processes import GuardedProcess


class ChildDied(Exception):
    """A process ended by itself; the text names it, its exit code, its log and its last words."""


class Children:
    """The processes of one run."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, GuardedProcess] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, module: str, *arguments: str, environment: Mapping[str, str]) -> None:
        """`python -m module arguments`, output appended to `<logs>/<name>.log`."""
        command = [sys.executable, "-m", module, *arguments]
        log = self._logs / f"{name}.log"
        self._running[name] = GuardedProcess(command, log=log, environ={**os.environ, **environment})

    def kill(self, name: str) -> None:
        """SIGKILL; the process is no longer watched."""
        self._running.pop(name).kill()

    def check(self) -> None:
        """Raises ChildDied when one has ended."""
        for name, child in self._running.items():
            code = child.process.poll()
            if code is not None:
                log = self._logs / f"{name}.log"
                words = log.read_text(errors="replace").strip().splitlines()[-5:]
                raise ChildDied(f"{name} ended with code {code}; its log is {log}. It said:\n  " + "\n  ".join(words))

    def stop(self, seconds: float = 12.0) -> list[str]:
        """SIGTERM to all at once, SIGKILL to those that are still there; returns the names of the killed ones."""
        for child in self._running.values():
            if child.running:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        killed = []
        for name, child in self._running.items():
            child.stop(max(deadline - time.monotonic(), 0.1))
            if child.process.returncode == -signal.SIGKILL:
                killed.append(name)
        self._running.clear()
        return killed
