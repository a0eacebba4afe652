"""Hold packets that come in by a device back for a while, then let each go on as if it came just now.

The kernel hands them to a device of this process, which gives each back when its time has come. Device and rule are
gone with the process, however it ends, and packets pass as before.

A region runs a copy of this file, by the machine's Python alone, so it needs nothing but the standard library.
Arguments: by which device packets come in; which of them (an expression of `nft`); how many milliseconds; a file to make
when packets are held.
"""

import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

_TUN = "/dev/net/tun"
_SET_INTERFACE, _TUN_DEVICE, _NO_PACKET_INFORMATION = 0x400454CA, 0x0001, 0x1000
_LARGEST = 65535
"""Bytes of the largest packet: on loopback they are as large."""
_ETHERNET_BYTES, _OF_IP = 14, b"\x08\x00"
"""What stands before each packet, of the device that it came in by: at its end it says what it is."""
_RULE_SECONDS = 5.0


def opened(name: str) -> int:
    """Return a device of this process's own, which is up.

    :param name: what it is called.
    """
    device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    wanted = struct.pack("16sH22x", name.encode(), _TUN_DEVICE | _NO_PACKET_INFORMATION)
    fcntl.ioctl(device, _SET_INTERFACE, wanted)
    subprocess.run(["ip", "link", "set", name, "mtu", str(_LARGEST), "up"], check=True)
    # Those that never leave the region come from its own addresses.
    Path(f"/proc/sys/net/ipv4/conf/{name}/accept_local").write_text("1")
    return device


def rule(name: str, by: str, which: str) -> str:
    """Return the command for `nft` that hands packets to the device; its table ends with who has made it."""
    chain = f'type filter hook ingress device "{by}" priority 0; {which} fwd to "{name}";'
    return f"table netdev {name} {{ flags owner; chain held {{ {chain} }}; }}\n"


def begin(name: str, command: str) -> "subprocess.Popen[str]":
    """Give the command to an `nft` that stays, and return it when the kernel has the rule.

    :raises RuntimeError: the kernel has it not.
    """
    nft = subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, text=True)
    print(command, file=nft.stdin, flush=True)
    end = time.monotonic() + _RULE_SECONDS
    shown = ["nft", "list", "table", "netdev", name]
    while subprocess.run(shown, capture_output=True, check=False).returncode:
        if time.monotonic() > end:
            raise RuntimeError(f"nft did not take: {command}")
        time.sleep(0.05)
    return nft


def hold(device: int, seconds: float) -> None:
    """Give each packet back after so many seconds, until the device is gone."""
    held: deque[tuple[float, bytes]] = deque()
    waiting = select.poll()
    waiting.register(device, select.POLLIN)
    while True:
        left = max(0.0, held[0][0] - time.monotonic()) * 1000 if held else None
        if waiting.poll(left) and not _taken(device, seconds, held):
            return
        while held and held[0][0] <= time.monotonic():
            os.write(device, held.popleft()[1])


def _taken(device: int, seconds: float, held: deque[tuple[float, bytes]]) -> bool:
    """Take all packets that are there, with the time at which each is given back; return whether the device is there."""
    while True:
        try:
            packet = os.read(device, _LARGEST + _ETHERNET_BYTES)
        except BlockingIOError:
            return True
        if not packet:
            return False
        # What the kernel says by this device of its own accord is not for anybody.
        if packet[:_ETHERNET_BYTES].endswith(_OF_IP):
            held.append((time.monotonic() + seconds, packet[_ETHERNET_BYTES:]))


def main(by: str, which: str, milliseconds: str, ready: str) -> None:
    """Hold for ever."""
    # One that has just been killed may have its own still.
    name = f"held{os.getpid()}"
    device = opened(name)
    nft = begin(name, rule(name, by, which))
    Path(ready).touch()
    try:
        hold(device, float(milliseconds) / 1000)
    finally:
        nft.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
