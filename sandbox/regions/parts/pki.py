"""Certificates of a region: its own authority, one serving certificate, one administrator, one key for tokens."""

import base64
import datetime as dt
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.regions.model import Region
from sandbox.regions.parts.access import Credentials

LIFETIME = dt.timedelta(days=365)  # far beyond any sandbox's life
CLOCK_SLACK = dt.timedelta(hours=1)
_NAMES = (
    "localhost",
    *(
        f"kubernetes{rest}"
        for rest in ("", ".default", ".default.svc", ".default.svc.cluster.local")
    ),
)
_AUTHORITY = (
    x509.BasicConstraints(ca=True, path_length=0),
    # digital signatures, certificates and lists of revoked ones, and nothing else
    x509.KeyUsage(True, False, False, False, False, True, True, False, False),
)
_SERVING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
_ASKING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])


def create(region: Region) -> Credentials:
    """Write the region's keys and certificates into its `pki` folder; return the administrator's.

    The serving certificate names 127.0.0.1 (the listener), the node's address, the service's address and its
    DNS names, so every way in is verified.
    """
    region.pki.mkdir(parents=True, exist_ok=True)
    ca_key, server_key, admin_key, tokens_key = (
        ec.generate_private_key(ec.SECP256R1()) for _ in range(4)
    )
    ca_name = _name(f"{region.netns} authority")
    signed = partial(_signed, ca_name, ca_key)
    files = {
        "ca.crt": signed(ca_name, ca_key, *_AUTHORITY),
        "server.crt": signed(_name("kube-apiserver"), server_key, _addresses(region), _SERVING),
        "server.key": _pem(server_key),
        "admin.crt": signed(_name("admin", organisation="system:masters"), admin_key, _ASKING),
        "admin.key": _pem(admin_key),
        "service-accounts.key": _pem(tokens_key),
    }
    for name, content in files.items():
        _write_private(region.pki / name, content)
    given = (files[name] for name in ("ca.crt", "admin.crt", "admin.key"))
    return Credentials(*(base64.b64encode(each).decode() for each in given))


def _addresses(region: Region) -> x509.SubjectAlternativeName:
    names = [x509.DNSName(name) for name in _NAMES]
    addresses = ("127.0.0.1", region.address, region.service_address)
    return x509.SubjectAlternativeName(
        [*names, *(x509.IPAddress(ip_address(each)) for each in addresses)]
    )


def _name(common_name: str, organisation: str = "") -> x509.Name:
    given = {NameOID.COMMON_NAME: common_name, NameOID.ORGANIZATION_NAME: organisation}
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in given.items() if text])


def _signed(
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> bytes:
    now, public = dt.datetime.now(dt.UTC), key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + LIFETIME)
    )
    always = (
        x509.SubjectKeyIdentifier.from_public_key(public),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
    )
    for extension in (*always, *extensions):
        critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(issuer_key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,  # what the API server reads as token key
        serialization.NoEncryption(),
    )


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
