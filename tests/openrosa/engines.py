"""Real submissions of the form engines, sent as ODK Collect sends them: one by one, on lists that were served."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import time_machine
from sqlalchemy import select

from server.openrosa.submission import item_of
from server.store.tables import Submission
from tests.api.towns import Town
from tests.engines.town import Filling
from tests.openrosa.phone import Phone

SENT = (
    "household_registration",
    "protection_report",
    "child_situation",
    "household_update",
    "follow_up_visit",
    "child_review",
)
OFFICERS = {"child_review": "s1"}
_END = re.compile("<end>(.*?)</end>")
Made = Mapping[str, Sequence[Filling]]


def _end_of(filling: Filling) -> str:
    """When a form was finalised, as it says itself."""
    found = _END.search(filling.filled.xml)
    assert found is not None
    return found.group(1)


def times_of(filling: Filling) -> dict[str, Any]:
    """What an item of a batch says of the times that the form states."""
    value = item_of(filling.filled.xml.encode(), None, 0).value
    return {name: value[name] for name in ("observed_at", "entered_late")}


def at_night(filling: Filling) -> AbstractContextManager[Any]:
    """The server and the phones an hour before midnight of the day of a filling: then everything is sent."""
    night = datetime.fromisoformat(_end_of(filling)).replace(hour=23, minute=0, second=0, microsecond=0)
    return time_machine.travel(night, tick=False)


@dataclass
class ByCollect:
    """A town whose phones have ODK Collect."""

    town: Town
    posted: dict[str, int] = field(default_factory=dict)  # form -> how many of its submissions were sent

    def serve(self, made: Made) -> Mapping[str, bytes]:
        """The entity lists as phones download them in the morning, after the evening on which what was filled so far
        of registrations and reports was sent."""
        self.post({form: made[form] for form in SENT[:2] if form in made})
        with at_night(made[SENT[0]][0]):
            mine = Phone(self.town, self.town.tokens["u1"]).files("household_update")
            theirs = Phone(self.town, self.town.tokens["s1"]).files("child_review")
        files = {f"{name}.csv": mine[f"{name}.csv"] for name in ("household", "child", "person")}
        return files | ({"report.csv": theirs["report.csv"]} if "protection_report" in self.posted else {})

    def post(self, made: Made) -> None:
        """Send what was not sent yet."""
        for form in (form for form in SENT if form in made and form not in self.posted):
            for filling in made[form]:
                self.send(filling, filling.filled.xml, OFFICERS.get(form, "u1"))
            self.posted[form] = len(made[form])

    def send(self, filling: Filling, xml: str, user: str) -> None:
        """Post one, on the evening of the day on which it was filled."""
        with at_night(filling):
            answer = Phone(self.town, self.town.tokens[user]).send(xml)
        assert answer.status_code == 201, answer.text

    def outcomes(self) -> dict[str, str]:
        """What became of each submission."""
        return {row.id: row.outcome for row in self.town.rows(select(Submission.id, Submission.outcome))}
