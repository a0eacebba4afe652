"""The drill's side of the load client: starting it, reading what it has written, stopping it."""

import subprocess
import sys
from pathlib import Path

from drill.errors import DrillError
from drill.observation.load import log as loadlog
from drill.regions import Region

_LONGEST_SECONDS = 7200
"""The client ends by itself after so long, whatever became of the drill."""
_STOP_SECONDS = 15


class LoadProcess:
    """One running load client."""

    def __init__(
        self,
        kubectl: Path,
        kubeconfig: Path,
        region: Region,
        *,
        rate: float,
        log: Path,
        errors: Path,
    ) -> None:
        """Start a client that sends to a region's gateway."""
        self._log = log
        self._errors = errors
        options = {
            "--out": log,
            "--kubectl": kubectl,
            "--kubeconfig": kubeconfig,
            "--context": region.context,
            "--namespace": region.namespace,
            "--rate": rate,
            "--max-seconds": _LONGEST_SECONDS,
        }
        argv = [sys.executable, "-m", "drill.observation.load.load"]
        argv += [str(part) for option in options.items() for part in option]
        with errors.open("w") as file:
            # A session of its own: Ctrl-C reaches the drill, which then stops the client in order.
            self._process = subprocess.Popen(
                argv,
                cwd=Path(__file__).resolve().parents[3],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def read(self) -> loadlog.LoadLog:
        """Return what it has written so far.

        :raises DrillError: the client has ended by itself.
        """
        log = loadlog.read(self._log)
        if self._process.poll() is not None:
            raise DrillError(
                f"the load client ended by itself (exit status {self._process.returncode}, "
                f"{log.ended or 'no reason given'}); see {self._errors}"
            )
        return log

    def stop(self) -> loadlog.LoadLog:
        """Stop it, wait for its last answers, and return all that it has written."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return loadlog.read(self._log)
