"""Certificate and key of the service, tried before anybody connects: a handshake in memory finds what is wrong."""

import ssl
from pathlib import Path


class TlsError(Exception):
    """A certificate or key that no client would accept: which file, why, and what to do."""


def tls_context(cert: Path, key: Path | None) -> ssl.SSLContext:
    """The server's context. Raises TlsError where a file is missing, is none, does not fit, or has expired."""
    for path in (cert, key):
        if path is not None and not path.is_file():
            raise TlsError(f"{path}: no such file; give the certificate chain and its key in PEM")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key, password="")  # an encrypted key is refused, not asked for
    except (ssl.SSLError, OSError) as error:
        said = getattr(error, "reason", None) or error
        raise TlsError(f"{cert}: no certificate and key that belong together in PEM ({said})") from None
    try:
        _shake_hands(context, cert)
    except ssl.SSLCertVerificationError as error:
        raise TlsError(f"{cert}: {error.verify_message}; give a certificate that is valid now") from None
    except ssl.SSLError as error:
        raise TlsError(f"{cert}: cannot be used ({error.reason})") from None
    return context


def _shake_hands(server: ssl.SSLContext, cert: Path) -> None:
    """A client that trusts this very certificate connects: only what is wrong with itself is left to complain of."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cert)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_side=False),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
