"""Certificates of a region: its own authority, one serving certificate, one administrator, one key for tokens."""

import base64
import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.regions.model import Region
from sandbox.regions.parts.access import Credentials

LIFETIME = dt.timedelta(days=365)  # far beyond any sandbox's life
CLOCK_SLACK = dt.timedelta(hours=1)


def create(region: Region) -> Credentials:
    """Write the region's keys and certificates into its `pki` folder; return the administrator's.

    The serving certificate names 127.0.0.1 (the listener), the node's address, the service's address and its
    DNS names, so every way in is verified.
    """
    region.pki.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(f"{region.netns} authority")
    ca = _signed(ca_name, ca_key.public_key(), ca_name, ca_key, [_AUTHORITY, _SIGNING])
    server_key, admin_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    server = _signed(
        _name("kube-apiserver"),
        server_key.public_key(),
        ca_name,
        ca_key,
        [_server_names(region), x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])],
    )
    admin = _signed(
        _name("admin", organisation="system:masters"),
        admin_key.public_key(),
        ca_name,
        ca_key,
        [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])],
    )
    files = {
        "ca.crt": _certificate_pem(ca),
        "server.crt": _certificate_pem(server),
        "server.key": _key_pem(server_key),
        "admin.crt": _certificate_pem(admin),
        "admin.key": _key_pem(admin_key),
        "service-accounts.key": _key_pem(ec.generate_private_key(ec.SECP256R1())),
    }
    for name, content in files.items():
        _write_private(region.pki / name, content)
    return Credentials(
        ca=_base64(files["ca.crt"]),
        certificate=_base64(files["admin.crt"]),
        key=_base64(files["admin.key"]),
    )


_AUTHORITY = x509.BasicConstraints(ca=True, path_length=0)
_SIGNING = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def _server_names(region: Region) -> x509.SubjectAlternativeName:
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    addresses = ["127.0.0.1", region.address, region.service_address]
    return x509.SubjectAlternativeName(
        [
            *(x509.DNSName(name) for name in [*names, "kubernetes.default.svc.cluster.local"]),
            *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
        ]
    )


def _name(common_name: str, organisation: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def _signed(
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extensions: list[x509.ExtensionType],
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    for extension in extensions:
        critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,  # what the API server reads as token key
        serialization.NoEncryption(),
    )


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
