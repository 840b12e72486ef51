"""The home's own certificate authority and the certificate of its TLS listener.

The authority may vouch for this machine's names and nothing else, by name constraints that
clients check: whoever trusts it for Studio trusts it for no other site.
"""

import importlib.util
import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from studio import durable
from studio.errors import StudioError

_AUTHORITY_DAYS = 3650
_LEAF_DAYS = 397
_RENEW_DAYS = 30  # before the end
_DNS = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", re.ASCII)


@dataclass(frozen=True)
class Files:
    """`authority`: the certificate to trust. `server`: key and certificates of the listener."""

    authority: Path
    server: Path
    bundle: Path


@dataclass(frozen=True)
class _Pair:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def files(home: Path) -> Files:
    folder = home / "tls"
    return Files(folder / "ca.pem", folder / "server.pem", folder / "bundle.pem")


def port_file(home: Path) -> Path:
    """Where the listener keeps its port, as JSON."""
    return home / "tls" / "port"


def ensure(home: Path, names: Sequence[str], now: datetime | None = None) -> Files:
    """Files whose certificates are good for `names` and for a month at least.

    `names` are host names and addresses; what can be neither is left out.
    """
    now = now or datetime.now(UTC)
    known = files(home)
    known.authority.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = _general_names(names)
    secret = known.authority.with_suffix(".key")
    authority = _read(secret)
    if authority is None or not (_lasts(authority, now) and _vouches(authority, wanted)):
        authority = _new_authority(wanted, now)
        durable.write_bytes(secret, _pem(authority))
    public = authority.certificate.public_bytes(serialization.Encoding.PEM)
    _keep(known.authority, public)
    server = _read(known.server)
    if server is None or not (_lasts(server, now) and _is_of(server, authority, wanted)):
        server = _new_server(authority, wanted, now)
        durable.write_bytes(known.server, _pem(server) + public)
    if known.bundle.exists() and public not in known.bundle.read_bytes():
        write_bundle(home)
    return known


def write_bundle(home: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """One file with our authority and those that the user trusts already, for AWS_CA_BUNDLE."""
    known = files(home)
    if not known.authority.exists():
        raise StudioError(
            "There is no certificate yet: start Studio with `tls_port` 0 or above once."
        )
    present = environ.get("AWS_CA_BUNDLE", "")
    trusted = (
        Path(present) if present and Path(present) != known.bundle else botocore_file("cacert.pem")
    )
    try:
        text = trusted.read_bytes()
    except OSError as error:
        raise StudioError(f"{trusted} can't be read: {error.strerror}.") from error
    _keep(known.bundle, text.rstrip() + b"\n" + known.authority.read_bytes())
    return known.bundle


def botocore_file(name: str) -> Path:
    """A file that botocore ships, found without loading botocore."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or spec.origin is None:
        raise StudioError("botocore is not installed: its data is needed.")
    return Path(spec.origin).parent / name


def _keep(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        durable.write_bytes(path, data)


def _general_names(names: Sequence[str]) -> list[x509.GeneralName]:
    found: dict[str, x509.GeneralName] = {}
    for name in names:
        try:
            address = ipaddress.ip_address(name)
            if not address.is_unspecified:
                found[str(address)] = x509.IPAddress(address)
        except ValueError:
            if _DNS.fullmatch(name.lower()):
                found[name.lower()] = x509.DNSName(name.lower())
    return list(found.values())


def _read(path: Path) -> _Pair | None:
    """The key and the first certificate in `path`; None where they are not."""
    try:
        data = path.read_bytes()
        key = serialization.load_pem_private_key(data, password=None)
        certificate = x509.load_pem_x509_certificates(data)[0]
    except (OSError, ValueError):
        return None
    return _Pair(key, certificate) if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _pem(pair: _Pair) -> bytes:
    key = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key + pair.certificate.public_bytes(serialization.Encoding.PEM)


def _lasts(pair: _Pair, now: datetime) -> bool:
    certificate = pair.certificate
    left = certificate.not_valid_after_utc - now
    return certificate.not_valid_before_utc <= now and left > timedelta(days=_RENEW_DAYS)


def _vouches(authority: _Pair, names: Sequence[x509.GeneralName]) -> bool:
    allowed = _extension(authority, x509.NameConstraints)
    subtrees = allowed.permitted_subtrees if isinstance(allowed, x509.NameConstraints) else None
    return set(_subtrees(names)) <= set(subtrees or ())


def _is_of(server: _Pair, authority: _Pair, names: Sequence[x509.GeneralName]) -> bool:
    try:
        server.certificate.verify_directly_issued_by(authority.certificate)
    except Exception:  # any reason counts as no
        return False
    stated = _extension(server, x509.SubjectAlternativeName)
    return isinstance(stated, x509.SubjectAlternativeName) and set(names) == set(stated)


def _extension(pair: _Pair, kind: type[x509.ExtensionType]) -> x509.ExtensionType | None:
    try:
        return pair.certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _new_authority(names: Sequence[x509.GeneralName], now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # A number of its own: clients that still know an authority of before must not confuse them.
    subject = _subject(f"Studio authority {mark.digest.hex()[:8]}")
    builder = (
        _builder(subject, subject, key, now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(_subtrees(names), None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(mark, critical=False)
    )
    return _Pair(key, builder.sign(key, hashes.SHA256()))


def _new_server(authority: _Pair, names: Sequence[x509.GeneralName], now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(_subject("Studio"), issuer, key, now, _LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(signer, critical=False)
    )
    return _Pair(key, builder.sign(authority.key, hashes.SHA256()))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    # An hour back: clocks differ.
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _subtrees(names: Sequence[x509.GeneralName]) -> list[x509.GeneralName]:
    """The constraints that let `names` pass: of an address, the network that is it alone."""
    return [
        x509.IPAddress(ipaddress.ip_network(name.value))
        if isinstance(name, x509.IPAddress)
        else name
        for name in names
    ]
