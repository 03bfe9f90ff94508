"""What the promises' tests share."""

import pytest

from tests.promises.lake import Outcome, replay


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What one replay of the recording in one go comes to."""
    return replay(tmp_path_factory.mktemp("undisturbed"))
