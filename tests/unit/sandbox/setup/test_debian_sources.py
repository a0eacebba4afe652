"""The small Debian in the images is made from the distribution's own sources, not from other vendors'."""

from sandbox.setup.parts.debian_root import own_lines, own_stanzas

ONE_LINE = """\
# deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm main contrib
deb [arch=amd64 signed-by=/usr/share/keyrings/debian.gpg] http://deb.debian.org/debian bookworm-updates main
deb-src http://deb.debian.org/debian bookworm main
deb https://packages.example.com/apt cloud-sdk-bookworm main
deb http://security.debian.org/debian-security bookworm-security main
deb http://deb.debian.org/debian bookworm-backports main
"""

STANZAS = """\
# the distribution
Types: deb
# a snapshot
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: https://deb.example.com/node
Suites: nodistro
Components: main

Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://mirror.example.com/debian
Suites: bookworm
Components: main

Types: deb deb-src
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
"""


def test_lines_of_the_release_are_kept() -> None:
    kept = own_lines("bookworm", ONE_LINE)
    assert [line.split("main")[0].split()[-1] for line in kept] == [
        "bookworm",
        "bookworm-updates",
        "bookworm-security",
    ]
    assert own_lines("trixie", ONE_LINE) == []


def test_stanzas_of_the_release_are_kept() -> None:
    first, second = own_stanzas("bookworm", STANZAS)
    assert "Suites: bookworm bookworm-updates" in first
    assert "Suites: bookworm-security" in second
    assert own_stanzas("trixie", STANZAS) == []
