"""The secret of a token: what nobody can guess. The one place where randomness has no seed, for that is its point."""

import secrets

_BYTES = 32


def new_secret() -> str:
    """256 random bits, as letters, digits, - and _."""
    return secrets.token_urlsafe(_BYTES)
