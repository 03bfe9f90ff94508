"""What the crash tests share with the promises' tests: the undisturbed replay."""

from tests.promises.conftest import undisturbed

__all__ = ["undisturbed"]
