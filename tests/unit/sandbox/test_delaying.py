"""What holds packets back in the sandbox: each goes on as it came, later, and nothing else does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.regions.model import Place, regions
from sandbox.regions.parts.delaying import hold, rule
from sandbox.regions.parts.delays import Delayed, delay
from tests.unit.sandbox.test_plan import some_tools

HEADER = b"0123456789ab"
IP, OTHER = b"\x08\x00", b"\x08\x06"


@contextmanager
def held(seconds: float) -> Iterator[socket.socket]:
    kernel, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    device.setblocking(False)
    thread = threading.Thread(target=hold, args=(device.fileno(), seconds))
    thread.start()
    try:
        yield kernel
    finally:
        kernel.shutdown(socket.SHUT_RDWR)
        kernel.close()
        thread.join()
        device.close()


def test_each_packet_goes_on_later_in_its_order_without_what_stood_before_it() -> None:
    with held(0.2) as kernel:
        kernel.settimeout(10)
        began = time.monotonic()
        for packet in (b"first", b"second"):
            kernel.send(HEADER + IP + packet)
        assert [kernel.recv(100), kernel.recv(100)] == [b"first", b"second"]
        assert time.monotonic() - began >= 0.2


def test_what_is_no_packet_of_ip_is_swallowed() -> None:
    with held(0.0) as kernel:
        kernel.settimeout(10)
        kernel.send(HEADER + OTHER + b"who has")
        kernel.send(HEADER + IP + b"a packet")
        assert kernel.recv(100) == b"a packet"


def test_the_rule_is_gone_with_who_has_made_it() -> None:
    made = rule("held7", "to-paris", "meta protocol ip")
    assert made.startswith("table netdev held7 { flags owner;")
    assert 'ingress device "to-paris" priority 0; meta protocol ip fwd to "held7";' in made
    assert made.endswith("\n")


@pytest.mark.parametrize(
    ("what", "by", "which"),
    [
        (Delayed.LINK, "to-paris", "meta protocol ip"),
        (Delayed.API_SERVER, "lo", "ip saddr 10.180.255.1 tcp sport 6443 tcp flags & syn == 0"),
    ],
)
def test_what_is_delayed_is_told_by_where_it_comes_in(what: Delayed, by: str, which: str) -> None:
    london = regions(Path("/checkout/out/sandbox"))[0]
    process = delay(london, some_tools(), what, 2000)
    assert process.argv[3:6] == (by, which, "2000")
    assert process.place is Place.NETWORK
    (script,) = process.files
    assert (str(script.path), "def hold(" in script.text) == (process.argv[2], True)
    assert {delay(london, some_tools(), each, 1).name for each in Delayed} == {
        "delay-link",
        "delay-api-server",
    }
