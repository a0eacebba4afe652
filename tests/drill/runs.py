"""Running a drill as a user does, and reading what it leaves."""

import json
import subprocess
import sys
from typing import Any

from drill.processes import OwnProcesses, leftovers
from drill.settings import CHECKOUT, Paths
from sandbox.regions.model import sandbox_id

PATHS = Paths()


def drill(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "drill", *options],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Pass the drill's lines on as they come, so that a long test shows where it is.

    If the test is interrupted meanwhile, the drill is, too, and takes everything down first.
    """
    lines = []
    try:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    except BaseException:
        process.terminate()
        process.communicate()
        raise
    process.wait()
    return "".join(lines)


def report() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((PATHS.folder / "report.json").read_text())
    return document


def whole_drill(*options: str) -> dict[str, Any]:
    """Run a drill in which every check must hold, nothing be lost and nothing left; return its report."""
    process = drill(*options)
    output = finish(process)
    document = report()
    assert [check for check in document["checks"] if not check["ok"]] == []
    assert process.returncode == 0, output[-3000:]
    assert document["load"]["lost"] == 0
    assert document["records"]["missingInRegion0"] == document["records"]["missingInRegion1"] == 0
    assert everything_left() == []
    return document


def everything_left() -> list[str]:
    id_ = sandbox_id(PATHS.sandbox)
    processes = [str(each) for each in OwnProcesses(str(PATHS.folder), id_).find()]
    return processes + leftovers(PATHS.sandbox, id_)
