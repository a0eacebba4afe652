"""Asking whether a process is ready, from inside the network namespace that it listens in."""

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from sandbox.regions.model import FileThere, HttpOk, Probe, SocketOpen, TcpOpen

TIMEOUT_SECONDS = 2.0  # of one question; the waiting repeats it
NETNS_FOLDER = Path("/run/netns")
_CLONE_NEWNET = 0x40000000

T = TypeVar("T")


def in_netns(name: str, function: Callable[[], T]) -> T:
    """Call `function` inside the network namespace `name` and return its result.

    A thread of its own enters the namespace and ends with the call: entering is for a thread's life, and
    no other thread of the program may find itself elsewhere.

    :raises OSError: the namespace is not there, or may not be entered.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            _enter(NETNS_FOLDER / name)
            results.append(function())
        except Exception as error:  # handed to the caller, whose thread is another
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _enter(path: Path) -> None:
    # os.setns came with Python 3.12
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)


def unready(probe: Probe) -> str | None:
    """Ask once; return None when ready, else what was seen instead."""
    try:
        match probe:
            case HttpOk(url, ca):
                return _http(url, ca)
            case TcpOpen(host, port):
                socket.create_connection((host, port), TIMEOUT_SECONDS).close()
            case SocketOpen(path):
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(TIMEOUT_SECONDS)
                    connection.connect(str(path))
            case FileThere(path):
                return None if path.exists() else f"{path} is not there"
    except (OSError, HTTPError) as error:
        return f"{probe}: {error}"
    return None


def _http(url: str, ca: Path | None) -> str | None:
    with PoolManager(ca_certs=ca and str(ca)) as pool:
        answer = pool.request("GET", url, timeout=TIMEOUT_SECONDS, retries=False)
    if answer.status == 200:
        return None
    return f"{url} answered {answer.status}: {answer.data[:200].decode(errors='replace').strip()}"
