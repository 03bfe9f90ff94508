"""Every test that asks for a home runs twice: with its ledger in a folder, and in a database."""

import pytest

from tests.ledger.homes import DatabaseHome, FolderHome, Home, NewHome


@pytest.fixture(params=["sqlite", "postgresql"])
def new_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewHome:
    """Makes homes, each empty."""
    if request.param == "sqlite":
        return lambda: FolderHome(tmp_path_factory.mktemp("ledger"))
    make = request.getfixturevalue("new_schema")
    return lambda: DatabaseHome(make())


@pytest.fixture
def home(new_home: NewHome) -> Home:
    """A home for one ledger."""
    return new_home()
