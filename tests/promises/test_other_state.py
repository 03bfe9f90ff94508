"""State that another version of jiantu made is refused, in words, and left as it is."""

from pathlib import Path

import msgspec
import pytest

from streams.core.snapshot import FORMAT
from streams.ports import Checkpoint, Outputs
from streams.runtime.embedded import ResumeError
from tests.promises.lake import city_profile, open_store, replay, runtime_on


@pytest.mark.parametrize("written", [[], [FORMAT + 1]], ids=["before it knew formats", "a later one"])
def test_a_data_directory_of_another_version_is_refused(written: list[int], tmp_path: Path) -> None:
    replay(tmp_path)
    with open_store(tmp_path) as store:
        found = store.load_checkpoint()
        assert found is not None
        tally = msgspec.msgpack.decode(found.chunks["tally"])
        other = msgspec.msgpack.encode([*tally[:-1], *written])
        store.commit(
            Checkpoint(
                source=found.source,
                profile_version=city_profile().version,
                record=found.record,
                place=found.place,
                watermark=found.watermark,
                accounting=found.accounting,
                changed={"tally": other},
                removed=[],
            ),
            Outputs(),
        )
        with pytest.raises(ResumeError, match=r"state is of format .*; give an empty --data-dir"):
            runtime_on(store)
        again = store.load_checkpoint()
    assert again is not None
    assert again.chunks["tally"] == other
