"""Everything that a command needs, built in one place: profile, source, store, runtime, and the reading side."""

from streams.profile import Profile, load


def open_profile(which: str) -> Profile:
    """The profile of a name or folder, checked against the detectors that there are. Raises ProfileError."""
    return load(which)
