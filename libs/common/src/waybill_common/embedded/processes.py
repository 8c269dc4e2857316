"""Child processes that end with their parent, even when the parent is killed with SIGKILL.

A child gets a guard: a shell that waits on a pipe whose other end only the parent holds. When the parent is gone, the
kernel closes the pipe, and the guard sends the child its stop signal. This holds whichever thread started the child
(PR_SET_PDEATHSIG would fire at the end of that thread) and on macOS too. It cannot stop a child of its own child.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PORTS = range(15_000, 30_000)


def free_port(preferred: int | None = None) -> int:
    """A TCP port of the loopback interface that nobody listens on at this moment: the preferred one if it is free.

    Taken from below the range that systems hand out for outgoing connections: a port of that range may be somebody's
    by the time a server wants it.
    """
    for port in [*([preferred] if preferred else []), *random.sample(_PORTS, 200)]:
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port among 200 tried from {_PORTS[0]} to {_PORTS[-1]}")


class GuardedProcess:
    """A child in a session of its own (a Ctrl-C at the terminal does not reach it), with its guard."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.stop_signal = stop_signal
        with log.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=cwd,
                env=dict(environ) if environ is not None else None,
                start_new_session=True,
            )
        waiting_end, self._held_end = os.pipe()
        try:
            self._guard = subprocess.Popen(  # noqa: S603
                ["/bin/sh", "-c", 'read -r _; kill -s "$1" "$2"', "guard", stop_signal.name[3:], str(self.pid)],
                stdin=waiting_end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(waiting_end)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self, timeout: float = 15.0) -> None:
        """Ask it to end, and kill it when it has not after `timeout` seconds. May be called twice."""
        self._dismiss_guard()
        if self.running:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        self._dismiss_guard()
        self.process.kill()
        self.process.wait()

    def _dismiss_guard(self) -> None:
        if self._guard.poll() is None:
            self._guard.kill()
            self._guard.wait()
        if self._held_end >= 0:
            with suppress(OSError):
                os.close(self._held_end)
            self._held_end = -1
