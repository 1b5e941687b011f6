"""An XForm instance (what a form engine fills and sends) read into the JSON form of answers.

Source: ODK XForms specification ("Instance", "Metadata") and the entities specification 2025.1
(`<entity dataset id create update baseVersion trunkVersion branchId>`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from forms.form import Form
from forms.schema import ROW_ID, UNKNOWN, Problem
from forms.values import from_text

_YES = ("1", "true")


class UnreadableInstance(ValueError):
    """XML that is no XForm instance, or that carries a DOCTYPE. `args[0]` is a sentence in Vietnamese."""


@dataclass(frozen=True)
class EntityElement:
    """The entity element of one container, as the engine wrote it."""

    type: str
    id: str
    create: bool
    update: bool
    base_version: str
    trunk_version: str
    branch_id: str


@dataclass(frozen=True)
class Instance:
    """One parsed instance; `root` is only for `answers_of`."""

    root: etree._Element
    form: str
    version: str
    instance_id: str | None
    deprecated_id: str | None


def parse_instance(xml: str) -> Instance:
    """Parse without entities, network or DTD. Raises `UnreadableInstance`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(xml.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableInstance("Không đọc được XML của phiếu.") from error
    if root.getroottree().docinfo.doctype:
        raise UnreadableInstance("XML của phiếu có DOCTYPE; không nhận.")
    return Instance(
        root=root,
        form=root.get("id") or "",
        version=root.get("version") or "",
        instance_id=_meta(root, "instanceID"),
        deprecated_id=_meta(root, "deprecatedID"),
    )


def answers_of(form: Form, instance: Instance) -> tuple[dict[str, Any], list[EntityElement], list[Problem]]:
    """The answers in JSON form (groups flattened, a repeat as a list of rows), entities, unknown elements."""
    reader = _Reader(form)
    reader.walk(instance.root, f"/{_name(instance.root)}", reader.answers)
    return reader.answers, reader.entities, reader.problems


class _Reader:
    def __init__(self, form: Form) -> None:
        self.by_path = {question.path: question for question in form.questions}
        self.repeats, self.nodes = set(form.repeats), form.nodes
        self.answers: dict[str, Any] = {}
        self.entities: list[EntityElement] = []
        self.problems: list[Problem] = []

    def walk(self, parent: etree._Element, path: str, into: dict[str, Any]) -> None:
        for node, here in ((child, f"{path}/{_name(child)}") for child in _elements(parent)):
            if here.endswith("/meta"):
                self._entity(node, into)
            elif (question := self.by_path.get(here)) is not None:
                into[question.name] = from_text(question.kind, node.text or "")
            elif here not in self.nodes:
                self.problems.append(Problem("unknown_property", f"/xml{here[:300]}", UNKNOWN))
            elif _name(node) in self.repeats:
                row: dict[str, Any] = {}
                self.answers.setdefault(_name(node), []).append(row)
                self.walk(node, here, row)
            else:
                self.walk(node, here, into)

    def _entity(self, meta: etree._Element, into: dict[str, Any]) -> None:
        for node in (child for child in _elements(meta) if _name(child) == "entity" and child.get("dataset")):
            element = EntityElement(
                type=node.get("dataset", ""),
                id=node.get("id", ""),
                create=node.get("create") in _YES,
                update=node.get("update") in _YES,
                base_version=node.get("baseVersion", ""),
                trunk_version=node.get("trunkVersion", ""),
                branch_id=node.get("branchId", ""),
            )
            if (element.create or element.update) and element.id:  # ODK Web Forms leaves it blank in rows
                self.entities.append(element)
                if into is not self.answers:
                    into[ROW_ID] = element.id


def _elements(parent: etree._Element) -> Iterator[etree._Element]:
    return (child for child in parent if isinstance(child.tag, str))


def _name(node: etree._Element) -> str:
    return str(etree.QName(node).localname)


def _meta(root: etree._Element, name: str) -> str | None:
    for meta in (node for node in _elements(root) if _name(node) == "meta"):
        for node in _elements(meta):
            if _name(node) == name and node.text:
                return str(node.text).strip()
    return None
