"""A broker that asks who one is: TLS, passwords (SCRAM-SHA-512), and an authorizer that allows nothing by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.certificates import Authority
from tests.kafka.server import Server

USERS = {
    "jiantu-admin": "admin's password",
    "jiantu-worker": "worker's password",
    "jiantu-source": "source's password",
    "nobody": "nobody's password",
}
"""Who can log in. Only the first may do everything; the others what `jiantu topics apply` gives them."""


@dataclass(frozen=True, slots=True)
class SecuredBroker:
    """The running broker. On the plain listener, which only tests use, everybody may do everything."""

    bootstrap: str
    ssl: str
    sasl: str
    pid: int
    folder: Path

    @property
    def ca(self) -> Path:
        """Who signed its certificate."""
        return self.folder / "certificates/ca.pem"

    @property
    def stranger(self) -> Path:
        """The certificate of an authority that it has nothing to do with."""
        return self.folder / "strangers/ca.pem"

    def as_user(self, user: str, **changed: str) -> Mapping[str, str]:
        """JIANTU_KAFKA_* variables of a user's process."""
        given = {
            "brokers": self.sasl,
            "security_protocol": "SASL_SSL",
            "ca_file": str(self.ca),
            "sasl_user": user,
            "sasl_password": USERS[user],
            **changed,
        }
        return {f"JIANTU_KAFKA_{name.upper()}": value for name, value in given.items()}


def secured_server(folder: Path, owner: int) -> Server:
    """Made, not started."""
    authority = Authority(folder / "certificates")
    Authority(folder / "strangers", "a stranger")
    pair = authority.signs("broker")
    settings = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(pair.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
        "ssl.client.auth": "requested",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:jiantu-admin",
    }
    return Server(
        folder,
        listeners=("PLAINTEXT", "SSL", "SASL_SSL"),
        settings=settings,
        users=USERS,
        owner=owner,
        remove=True,
    )
