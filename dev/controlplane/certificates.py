"""One certificate authority, and the certificates that the API server and the nodes show each other."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A cluster that is kept may run for months; a clock may have been wrong.
BEFORE, AFTER = dt.timedelta(days=1), dt.timedelta(days=3650)
CRITICAL = (x509.BasicConstraints, x509.KeyUsage)


@dataclass(frozen=True)
class KeyPair:
    """The files of a certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """All files in PEM; `kubelet_client` is what the API server shows a node, `node` what a node's server shows it."""

    authority: Path
    apiserver: KeyPair
    kubelet_client: KeyPair
    node: KeyPair
    service_accounts_key: Path


class _Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("mira-dev-ca")
        usage = _key_usage(key_cert_sign=True, crl_sign=True)
        builder = self._begin(self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0), usage)
        self.certificate = folder / "ca.crt"
        self.certificate.write_bytes(self._sign(builder))

    def issue(self, file: str, name: str, *, organisation: str = "", hosts: tuple[str, ...] = ()) -> KeyPair:
        """A new key and its certificate: a server's if it has hosts, else a client's."""
        key = ec.generate_private_key(ec.SECP256R1())
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        extensions: list[x509.ExtensionType] = [_key_usage(digital_signature=True), x509.ExtendedKeyUsage([purpose])]
        if hosts:
            extensions.append(x509.SubjectAlternativeName([_host(host) for host in hosts]))
        builder = self._begin(_name(name, organisation), key.public_key(), *extensions)
        pair = KeyPair(self._folder / f"{file}.crt", self._folder / f"{file}.key")
        pair.certificate.write_bytes(self._sign(builder))
        _write_key(pair.key, key)
        return pair

    def _begin(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *extensions: x509.ExtensionType
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=now - BEFORE,
            not_valid_after=now + AFTER,
        )
        # Python 3.13 and later verify no certificate that lacks the two identifiers.
        ours = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        for extension in (x509.SubjectKeyIdentifier.from_public_key(key), ours, *extensions):
            builder = builder.add_extension(extension, critical=isinstance(extension, CRITICAL))
        return builder

    def _sign(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def issue_certificates(folder: Path, *, service_ip: str) -> Certificates:
    """New certificates of a new authority, written to `folder`; the authority's own key is forgotten."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = _Authority(folder)
    loopback = ("127.0.0.1", "localhost")
    tokens = folder / "service-accounts.key"
    _write_key(tokens, ec.generate_private_key(ec.SECP256R1()))
    return Certificates(
        authority=authority.certificate,
        apiserver=authority.issue(
            "apiserver", "kube-apiserver", hosts=(*loopback, service_ip, "kubernetes.default.svc")
        ),
        kubelet_client=authority.issue(
            "kubelet-client", "kube-apiserver-kubelet-client", organisation="system:masters"
        ),
        node=authority.issue("node", "mira-dev-node", hosts=loopback),
        service_accounts_key=tokens,
    )


def _name(common: str, organisation: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            # The one format in which the API server takes a private key for the public one that it contains.
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
