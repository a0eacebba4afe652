"""The Corefile: the chain goes in, is changed and goes out, and nothing of the user's is lost.

A cluster whose Corefile is broken resolves nothing any more, so what is not understood is refused.
"""

import random

import pytest

from dualregion import corefile as corefiles
from dualregion.corefile import BEGIN, END, block, block_for, chained, unchained, zones_of
from dualregion.errors import Refused
from tests.inputs.examples import region, settings
from tests.inputs.random_inputs import Seeds
from tests.raising import raises

ZONES = ("camunda-paris.svc.cluster.local", "camunda-paris-failover.svc.cluster.local")
ADDRESSES = ("10.181.0.53", "10.181.1.53")
UNPAIRED = "corefile-markers-unpaired"

EKS = """\
.:53 {
    errors
    health {
        lameduck 5s
      }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
"""
KIND = EKS.replace("cache 30", "cache 30 {\n       disable success cluster.local\n    }")
AKS = (
    EKS.replace("    loop\n", "    import custom/*.override\n    loop\n")
    + "import custom/*.server\n"
)
GKE = """\
(common) {
    errors
    log . "{remote} {type} {name} \\"quoted {brace\\"" {
        class denial error
    }
}
.:53 { import common
    template IN A ip.example {
        answer "{{ .Name }} 60 IN A 10.0.0.1 }"
    }
    forward . 169.254.169.254
}
"""
COMMENTED = """\
# camunda-paris.svc.cluster.local:53 { was here once }

.:53 {   # the default
    errors # camunda-paris.svc.cluster.local
    forward . 10.0.0.2 { # } {
        policy sequential
    }
}

stub.example,
other.example:5353
{
    hosts {
        10.0.0.9 a.stub.example
        fallthrough
    }
}
"""
COREFILES = {
    "EKS": EKS,
    "kind": KIND,
    "AKS": AKS,
    "GKE-like": GKE,
    "commented": COMMENTED,
    "Windows line ends": EKS.replace("\n", "\r\n"),
    "no last line end": EKS.rstrip("\n"),
    "a comment without line end": EKS + "# the end",
    "blank lines around": f"\n\n{EKS}\n\n\n",
    "tabs": EKS.replace("    ", "\t"),
    "empty, a key of coredns-custom": "",
    "a byte order mark": f"\ufeff{EKS}",
    "a byte order mark alone": "\ufeff",
    "comments without a space before them": EKS.replace("}\n", "}#the-end\n").replace(
        "errors\n", "errors#all\n"
    ),
    "braces in a comment and in quotes": EKS.replace(
        "reload", 'reload#{\n    log "a # b \\" {" # }'
    ),
    "quotes over lines": EKS.replace("reload", 'reload\n    log "a\n{ b"'),
    "elsewhere served": EKS + f"tls://{ZONES[0]}:853 {{\n errors\n}}\n{ZONES[1]}:5353 {{\n}}\n",
}
each_corefile = pytest.mark.parametrize(
    "corefile", [pytest.param(text, id=name) for name, text in COREFILES.items()]
)


def test_the_block_serves_both_namespaces_of_the_other_region() -> None:
    regions = [region(0, dnsAddresses=["10.180.0.53"]), region(1, dnsAddresses=list(ADDRESSES))]
    found = settings(regions=regions)
    assert zones_of(found, 1) == ZONES
    assert block_for(found, 0) == block(ZONES, ADDRESSES)
    assert block_for(found, 0) == (
        f"{BEGIN}\n"
        "camunda-paris.svc.cluster.local:53 camunda-paris-failover.svc.cluster.local:53 {\n"
        "    errors\n"
        "    forward . 10.181.0.53 10.181.1.53 {\n"
        "        force_tcp\n"
        "    }\n"
        "}\n"
        f"{END}\n"
    )
    assert "forward . 10.180.0.53 {" in block_for(found, 1)
    assert block_for(settings(), 0) == ""


def test_by_udp_it_asks_without_options() -> None:
    regions = [region(each, dnsAddresses=[f"10.18{each}.0.53"]) for each in (0, 1)]
    found = block_for(settings(regions=regions, dns={"tcp": False}), 0)
    assert found == block(ZONES, ["10.181.0.53"], tcp=False)
    assert "    forward . 10.181.0.53\n}\n" in found
    by_tcp = chained(EKS, ZONES, ADDRESSES)
    assert chained(by_tcp, ZONES, ADDRESSES, tcp=False) == block(ZONES, ADDRESSES, tcp=False) + EKS


@each_corefile
def test_it_goes_in_once_and_out_again_and_the_rest_stays_byte_for_byte(corefile: str) -> None:
    once = chained(corefile, ZONES, ADDRESSES)
    assert once.replace("\r\n", "\n").count(block(ZONES, ADDRESSES)) == 1
    assert once.endswith(corefile.removeprefix("\ufeff"))
    assert once.startswith("\ufeff") == corefile.startswith("\ufeff")
    assert chained(once, ZONES, ADDRESSES) == once
    assert unchained(once) == corefile
    assert unchained(corefile) == corefile


@each_corefile
def test_another_address_replaces_the_block_where_it_is(corefile: str) -> None:
    once = chained(corefile, ZONES, ADDRESSES)
    other = chained(once, ZONES, ["10.181.9.53"])
    assert "10.181.0.53" not in other
    assert other == chained(corefile, ZONES, ["10.181.9.53"])


def test_line_ends_are_the_files_own() -> None:
    once = chained(EKS.replace("\n", "\r\n"), ZONES, ADDRESSES)
    assert once.count("\n") == once.count("\r\n")


@pytest.mark.parametrize("last_end", ["\n", ""], ids=["line end", "no line end"])
def test_a_pasted_block_stays_in_its_place(last_end: str) -> None:
    pasted = EKS + block(ZONES, ADDRESSES).rstrip("\n") + last_end
    assert chained(pasted, ZONES, ADDRESSES) == pasted
    assert chained(pasted, ZONES, ["10.181.9.53"]) == pasted.replace(
        "10.181.0.53 10.181.1.53", "10.181.9.53"
    )
    assert unchained(pasted) == EKS


def test_what_follows_a_pasted_block_stays_too() -> None:
    pasted = EKS + block(ZONES, ADDRESSES) + "after.example {\n}\n"
    assert unchained(chained(pasted, ZONES, ["10.181.9.53"])) == EKS + "after.example {\n}\n"


def test_blocks_of_the_users_own_are_handed_over_by_comments_around_them() -> None:
    own = "".join(f"{zone}:53 {{\n    cache 30\n    forward . 10.0.0.1\n}}\n" for zone in ZONES)
    handed_over = f"{EKS}# BEGIN camunda-dual-region\n{own}# END camunda-dual-region\n"
    assert chained(handed_over, ZONES, ADDRESSES) == EKS + block(ZONES, ADDRESSES)


@pytest.mark.parametrize(
    ("label", "line"),
    [
        pytest.param("camunda-paris.svc.cluster.local:53 {", 18, id="as the reference set-up does"),
        pytest.param("camunda-paris.svc.cluster.local {", 18, id="without port"),
        pytest.param("dns://Camunda-Paris.svc.cluster.local.:53 {", 18, id="in another spelling"),
        pytest.param("a.example, camunda-paris-failover.svc.cluster.local {", 18, id="one of many"),
        pytest.param("a.example,\ncamunda-paris.svc.cluster.local\n{", 19, id="over many lines"),
    ],
)
def test_a_zone_that_the_user_serves_already_is_refused_by_name(label: str, line: int) -> None:
    own = f"{EKS}{label}\n    forward . 10.181.0.53\n}}\n"
    with raises("corefile-zone-taken", Refused, line=line):
        chained(own, ZONES, ADDRESSES)
    assert unchained(own) == own


@pytest.mark.parametrize(
    ("corefile", "code", "facts"),
    [
        pytest.param(EKS + "}\n", "corefile-braces-unpaired", {}, id="a brace too many"),
        pytest.param(EKS.rstrip("}\n"), "corefile-braces-unpaired", {}, id="a brace too few"),
        pytest.param(
            ".:53\nerrors\nforward . 10.0.0.2 {\n}\n",
            "corefile-block-without-braces",
            {"line": 1},
            id="without braces",
        ),
        pytest.param(
            f"{EKS}{BEGIN}\nstub {{\n}}\n", UNPAIRED, {"count": 1}, id="begin without end"
        ),
        pytest.param(f"{EKS}{END}\n", UNPAIRED, {"count": 1}, id="end without begin"),
        pytest.param(f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n{EKS}", UNPAIRED, {"count": 4}, id="twice"),
        pytest.param(
            EKS.replace("    errors\n", f"{BEGIN}\n{END}\n"),
            "corefile-marker-in-block",
            {},
            id="inside",
        ),
        pytest.param(f"{END}\n{BEGIN}\n{EKS}", UNPAIRED, {"count": 2}, id="the wrong way round"),
    ],
)
def test_what_is_not_understood_is_refused(corefile: str, code: str, facts: dict[str, int]) -> None:
    with raises(code, Refused, **facts):
        chained(corefile, ZONES, ADDRESSES)


def test_what_comes_first_in_a_file_stays_first() -> None:
    """CoreDNS takes a byte order mark anywhere else for a letter, and then the whole cluster resolves nothing."""
    with_mark = chained(f"\ufeff{EKS}", ZONES, ADDRESSES)
    assert with_mark == f"\ufeff{block(ZONES, ADDRESSES)}{EKS}"
    handed_over = f"\ufeff# BEGIN camunda-dual-region\n# END camunda-dual-region\n{EKS}"
    assert chained(handed_over, ZONES, ADDRESSES) == with_mark


def test_a_comment_behind_a_word_ends_with_the_next_space() -> None:
    """CoreDNS takes what follows for labels of another server block, and serves them."""
    block_of_all = ".:53 {\n    errors\n}"
    assert chained(f"{block_of_all}# end of the default block\n", ZONES, ADDRESSES).endswith(
        "}# end of the default block\n"
    )
    assert chained("example.org\n", ZONES, ADDRESSES).endswith("example.org\n")
    with raises("corefile-zone-taken", Refused, label=ZONES[0]):
        chained(f"{block_of_all}# {ZONES[0]}\n", ZONES, ADDRESSES)
    assert chained(f"{block_of_all} # {ZONES[0]}\n", ZONES, ADDRESSES)


def coredns_words(text: str) -> list[tuple[int, str]]:
    """Return the words of a Corefile with their lines: CoreDNS's `lexer.next`, letter by letter."""
    found: list[tuple[int, str]] = []
    word, begun, line = "", 1, 1
    comment = quoted = escaped = False
    for letter in text.removeprefix("\ufeff"):
        if quoted:
            if not escaped and letter == "\\":
                escaped = True
                continue
            if not escaped and letter == '"':
                found.append((begun, word))
                word, quoted = "", False
                continue
            line += letter == "\n"
            word += ("\\" if escaped and letter != '"' else "") + letter
            escaped = False
        elif letter == "\r":
            continue
        elif letter in SPACES:
            line += letter == "\n"
            comment = comment and letter != "\n"
            if word:
                # The next call of the lexer knows nothing of a comment that this one was in.
                found.append((begun, word))
                word, comment = "", False
        elif comment or letter == "#":
            comment = True
        elif not word and letter == '"':
            begun, quoted = line, True
        else:
            begun = begun if word else line
            word += letter
    return [*found, (begun, word)] if word else found


SPACES = "\t\n\v\f \x85\xa0\u2003\u3000"
PIECES = (
    *(
        "{",
        "}",
        "#",
        '"',
        "\\",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "\xa0",
        "\u2003",
        "\ufeff",
        ",",
        "import x",
        "a",
    ),
    *(
        "errors",
        ".:53",
        f"{ZONES[0]}:53",
        ZONES[1].upper(),
        "tls://",
        '"a b"',
        "# END camunda-dual-region",
    ),
    *(
        "# BEGIN camunda-dual-region",
        "ü",
        "{$ENV}",
        "(common)",
        "forward . 10.0.0.1 {\n}\n",
        EKS,
        KIND,
        GKE,
    ),
)


def _random_corefile(source: random.Random) -> str:
    if source.random() < 0.5:
        return "".join(source.choice(PIECES) for _ in range(source.randrange(12)))
    text = source.choice(list(COREFILES.values()))
    for _ in range(source.randrange(4)):
        place = source.randrange(len(text) + 1)
        text = text[:place] + source.choice(PIECES) + text[place + source.randrange(2) :]
    return text


def test_any_corefile_is_read_as_coredns_reads_it(seeds: Seeds) -> None:
    for source in seeds(800):
        text = _random_corefile(source)
        read = [word for _, words in corefiles._lines(text) for word in words]
        assert read == [word for _, word in coredns_words(text)], repr(text)


def test_any_corefile_keeps_all_that_is_the_users_or_is_refused(seeds: Seeds) -> None:
    own = [word for _, word in coredns_words(block(ZONES, ADDRESSES))]
    taken = 0
    for source in seeds(800):
        text = _random_corefile(source)
        try:
            once = chained(text, ZONES, ADDRESSES)
        except Refused:
            continue
        taken += 1
        assert chained(once, ZONES, ADDRESSES) == once, repr(text)
        assert [line for line in once.split("\n") if "BEGIN camunda" in line], repr(text)
        words = [word for _, word in coredns_words(once)]
        rest = [word for _, word in coredns_words(unchained(once))]
        starts = [at for at in range(len(words)) if words[at : at + len(own)] == own]
        assert any(words[:at] + words[at + len(own) :] == rest for at in starts), repr(text)
        assert once.startswith("\ufeff") == text.startswith("\ufeff"), repr(text)
        if "BEGIN camunda" not in text:
            assert unchained(once) == text, repr(text)
    assert taken or not seeds.is_default, "not one of them was taken"
