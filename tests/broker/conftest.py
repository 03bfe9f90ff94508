"""The command line, for what doctor says of brokers."""

from tests.cli.conftest import cli

__all__ = ["cli"]
