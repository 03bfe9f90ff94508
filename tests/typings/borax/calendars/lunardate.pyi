from datetime import date

class LunarDate:
    year: int
    month: int
    day: int
    leap: int
    def __init__(self, year: int, month: int, day: int, leap: int = ...) -> None: ...
    @classmethod
    def from_solar_date(cls, year: int, month: int, day: int) -> LunarDate: ...
    def to_solar_date(self) -> date: ...
