"""Working hours of a site, so that a due time falls when somebody is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import country_holidays
from pydantic import field_validator, model_validator

from extractors.message import Value

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
_END_OF_DAY = 24 * 60


class Closed(Value):
    """Public holidays of a country (ISO 3166) or of a part of it, days closed `also`, and days `worked` after all."""

    country: str | None = None
    subdivision: str | None = None
    also: tuple[date, ...] = ()
    worked: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Closed:
        if self.subdivision and not self.country:
            raise ValueError("subdivision needs its country beside it")
        if self.country:
            try:
                _public_holidays(self.country, self.subdivision, 2026)
            except NotImplementedError as error:
                raise ValueError(f"{error}; use codes of ISO 3166, such as BE, or DE with NW") from None
        return self

    def __contains__(self, day: date) -> bool:
        if day in self.worked:
            return False
        public = self.country and day in _public_holidays(self.country, self.subdivision, day.year)
        return bool(public) or day in self.also


class Calendar(Value):
    """When a site works: `hours` are spans such as 08:00-17:00 on the clock of `zone`; a day without any is off."""

    zone: str
    hours: dict[Day, tuple[str, ...]]
    holidays: Closed = Closed()

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{zone!r} is no time zone; use a name such as Europe/Brussels") from None
        return zone

    @field_validator("hours")
    @classmethod
    def _spans_in_order(cls, hours: dict[Day, tuple[str, ...]]) -> dict[Day, tuple[str, ...]]:
        if not any(hours.values()):
            raise ValueError('no day has working hours; give at least one, such as mon: ["08:00-17:00"]')
        for day, spans in hours.items():
            edges = [edge for span in spans for edge in _minutes(span)]
            if any(later <= earlier for earlier, later in pairwise(edges)):
                raise ValueError(
                    f"{day}: {', '.join(spans)} must go forward within the day; end a night shift at 24:00 and go on "
                    "the next day at 00:00"
                )
        return hours

    @cached_property
    def hours_a_week(self) -> float:
        spans = (_minutes(span) for spans in self.hours.values() for span in spans)
        return sum(end - start for start, end in spans) / 60

    def open_on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Spans of that local day in UTC, in order."""
        if day in self.holidays:
            return
        for span in self.hours.get(DAYS[day.weekday()], ()):
            start, end = _minutes(span)
            yield self._moment(day, start), self._moment(day, end)

    def _moment(self, day: date, minute: int) -> datetime:
        days, minute = divmod(minute, _END_OF_DAY)
        local = datetime.combine(day + timedelta(days=days), time(*divmod(minute, 60)), ZoneInfo(self.zone))
        return local.astimezone(UTC)


def after_working_hours(start: datetime, hours: float, calendar: Calendar) -> datetime:
    """The moment, in UTC, at which `hours` (more than 0) of working time have passed since `start`."""
    left = timedelta(hours=hours)
    day = start.astimezone(ZoneInfo(calendar.zone)).date()
    while True:
        for opens, closes in calendar.open_on(day):
            begin = max(opens, start)
            if closes - begin >= left:
                return (begin + left).astimezone(UTC)
            left -= max(closes - begin, timedelta())
        day += timedelta(days=1)


@cache
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """Raises NotImplementedError for a country or a part of it that is not known."""
    return frozenset(country_holidays(country, subdiv=subdivision, years=year))


def _minutes(span: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(span)
    if found is None:
        raise ValueError(f"{span!r} is no span of hours; write it as 08:00-17:00")
    start, end = (int(found[1]), int(found[2])), (int(found[3] or 24), int(found[4] or 0))
    return start[0] * 60 + start[1], end[0] * 60 + end[1]
