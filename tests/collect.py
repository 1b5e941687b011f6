"""A model of how ODK Collect keeps an entity list: what it makes of it offline, and how it takes in a served one.

Source: Collect's own rules of reconciliation, as its source has them (a served version that is higher wins, so does
an equal one over local changes; a lower one does not; a row that is gone is deleted, or asked about if it was made
here).
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from forms.form import Form
from tests.api.builders import as_xml, item, new_id, registration, situation

Row = tuple[int, Mapping[str, Any]]  # version and properties, as a list serves them


@dataclass(frozen=True)
class Local:
    """An entity on a phone. `trunk`: the version last had from the server, if any; `dirty`: changed here since."""

    version: int
    trunk: int | None
    branch: str
    data: Mapping[str, Any]
    dirty: bool


@dataclass
class Collect:
    """One phone: its list of children, and what it has finalised and not yet sent, in that order."""

    form: Callable[[str], Form]
    children: dict[str, Local] = field(default_factory=dict)
    outbox: list[dict[str, Any]] = field(default_factory=list)

    def register(self, name: str) -> str:
        """A household with one child, made offline."""
        household, child = new_id(), new_id()
        answers = registration(household, {child: name})
        element = {"dataset": "household", "id": household, "create": "1"}
        self._finalise("household_registration", answers, element)
        (row,) = answers["members"]
        self.children[child] = Local(1, None, new_id(), {k: row[k] for k in ("full_name", "sex", "dob")}, True)
        return child

    def visit(self, child: str, **changes: Any) -> None:
        """The child's form: everything that the list prefills goes along, whether it was changed or not."""
        known, form = self.children[child], self.form("child_situation")
        answers = situation(child, known.data["full_name"])
        for question in form.of(None):
            if question.prefilled and question.property in known.data and question.name in answers:
                answers[question.name] = known.data[str(question.property)]
        answers |= changes
        element = {"dataset": "child", "id": child, "update": "1", "baseVersion": str(known.version)}
        element |= {"trunkVersion": str(known.trunk or ""), "branchId": known.branch}
        self._finalise("child_situation", answers, element)
        said = {q.property: answers[q.name] for q in form.of(None) if q.property is not None and q.name in answers}
        self.children[child] = replace(known, version=known.version + 1, data={**known.data, **said}, dirty=True)

    def _finalise(self, form: str, answers: Mapping[str, Any], element: Mapping[str, str]) -> None:
        made = item(form, dict(answers))
        xml = as_xml(self.form(form), made.pop("answers"), element)
        self.outbox.append(made | {"xml": xml})

    def take_in(self, served: Mapping[str, Row], deleted: Callable[[str], bool]) -> None:
        """A served list against the local one."""
        for child, (version, data) in served.items():
            known = self.children.get(child)
            if known is None or version > known.version or (version == known.version and known.dirty):
                self.children[child] = Local(version, version, str(uuid.uuid4()), data, False)
        for child in self.children.keys() - served.keys():
            if self.children[child].trunk is not None or deleted(child):
                del self.children[child]
