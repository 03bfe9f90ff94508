"""The profile of a city: everything about it that is not code, from YAML, checked to the line and column.

>>> from streams.profile import load
>>> load("leshan").city.title
'乐山市'
"""

from streams.profile.calendar import CityCalendar, DayClass, LocalEvent
from streams.profile.describe import describe
from streams.profile.load import bundled, check, load
from streams.profile.model import CsvMapping, Profile, Retention, Simulation
from streams.profile.problems import Problem, ProfileError

__all__ = [
    "CityCalendar",
    "CsvMapping",
    "DayClass",
    "LocalEvent",
    "Problem",
    "Profile",
    "ProfileError",
    "Retention",
    "Simulation",
    "bundled",
    "check",
    "describe",
    "load",
]
