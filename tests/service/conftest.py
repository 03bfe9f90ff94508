"""What the service's tests share with the command line's."""

from tests.cli.conftest import cli

__all__ = ["cli"]
