"""Reading a compiled XForm into a `Form`.

The XForm is what every phone runs, so it is the one source here, however the form was authored.
"""

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from forms.entity_types import EntityType, Half, Property
from forms.expressions import Expression, compile_expression
from forms.form import KIND_OF, Container, Form, FormError, Kind, Question
from forms.lifting import NO_LIFTS, Lifts
from forms.prefills import loads

_NS = {"x": "http://www.w3.org/2002/xforms", "h": "http://www.w3.org/1999/xhtml"}
_SAVE_TO = "{http://www.opendatakit.org/xforms/entities}saveto"
_MESSAGE = "{http://openrosa.org/javarosa}constraintMsg"
_KINDS = {
    "int": "integer",
    "decimal": "decimal",
    "date": "date",
    "dateTime": "datetime",
    "geopoint": "geopoint",
    "binary": "file",
}
_REFERENCE = re.compile(r"(?<![\w)\]'\"])(?:\.\./|/)[\w./-]*\w")
_ID_OF = re.compile(r"\A\s*(?:/|\.\./)[\w./-]*?([\w-]+)\s*\Z")


def read_form(xml: str, ward_list: str, types: Mapping[str, EntityType], lifts: Lifts = NO_LIFTS) -> Form:
    """Compile an XForm; what it saves to gets today's names by `lifts`.

    Raises `FormError` for what would make its answers ambiguous.
    """
    return _Reader(xml, ward_list, types, lifts).form()


class _Reader:
    """Walks one XForm; split into small steps because binds, body and instance each hold a part."""

    def __init__(self, xml: str, ward_list: str, types: Mapping[str, EntityType], lifts: Lifts) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        self.xml, self.ward_list, self.types, self.lifts = xml, ward_list, types, lifts
        tree = etree.fromstring(xml.encode(), parser)
        self.model = tree.find("h:head/x:model", _NS)
        self.body = tree.find("h:body", _NS)
        self.title = tree.findtext("h:head/h:title", "", _NS)
        if self.model is None or self.body is None:
            raise FormError("the XForm has no model or no body")
        self.root = self.model.find("x:instance", _NS)[0]
        self.binds = {bind.get("nodeset"): bind for bind in self.model.iterfind("x:bind", _NS)}
        self.calculates = {path.rsplit("/", 1)[-1]: bind.get("calculate") for path, bind in self.binds.items()}
        self.controls = {
            control.get("ref"): control
            for control in self.body.iter("{*}input", "{*}select", "{*}select1", "{*}upload")
        }
        self.repeats = {r.get("nodeset"): r.get("nodeset").rsplit("/", 1)[-1] for r in self.body.iter("{*}repeat")}
        self.sets = [*self.model.iter("{*}setvalue"), *self.body.iter("{*}setvalue")]

    def form(self) -> Form:
        for inner in self.repeats:
            if any(inner.startswith(outer + "/") for outer in self.repeats):
                raise FormError(f"{inner}: a repeat inside a repeat cannot be answered in one list of rows")
        self.containers = tuple(self._containers())
        questions = tuple(self._question(path) for path in self._leaves())
        names = [question.name for question in questions] + list(self.repeats.values())
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise FormError(f"question names used twice: {', '.join(twice)}")
        return Form(
            id=self.root.get("id"),
            version=self.root.get("version") or "",
            title=self.title,
            ward_list=self.ward_list,
            xml=self.xml,
            questions=questions,
            repeats=tuple(self.repeats.values()),
            nodes=frozenset(path for path, _ in self._paths(self.root, f"/{etree.QName(self.root).localname}")),
            containers=self.containers,
            officers=any(self._for_officers(question) for question in questions),
        )

    def _paths(self, node: etree._Element, path: str) -> Iterator[tuple[str, etree._Element]]:
        yield path, node
        for child in node:
            yield from self._paths(child, f"{path}/{etree.QName(child).localname}")

    def _leaves(self) -> list[str]:
        paths = dict.fromkeys(path for path, _ in self._paths(self.root, f"/{etree.QName(self.root).localname}"))
        return [
            path
            for path in paths
            if (path in self.controls or "calculate" in self._bind(path)) and "/meta/" not in path
        ]

    def _bind(self, path: str) -> Mapping[str, str]:
        bind = self.binds.get(path)
        return {} if bind is None else dict(bind.attrib)

    def _repeat(self, path: str) -> str | None:
        return next((name for nodeset, name in self.repeats.items() if f"{path}/".startswith(nodeset + "/")), None)

    def _relevant(self, path: str) -> tuple[Expression, ...]:
        parts = path.split("/")
        nodesets = ["/".join(parts[:length]) for length in range(2, len(parts) + 1)]
        sources = [self._bind(nodeset).get("relevant") for nodeset in nodesets]
        return tuple(compile_expression(source) for source in sources if source)

    def _containers(self) -> Iterator[Container]:
        seen: set[str] = set()
        for path, node in self._paths(self.root, f"/{etree.QName(self.root).localname}"):
            if not path.endswith("/meta/entity") or path in seen:
                continue
            seen.add(path)
            kind = self.types.get(node.get("dataset"))
            if kind is None or kind.follows:
                raise FormError(f"{path}: no entity type for forms is called {node.get('dataset')!r}")
            yield self._container(path, node)

    def _container(self, entity: str, node: etree._Element) -> Container:
        owner = entity.removesuffix("/meta/entity")
        ident = self._bind(f"{entity}/@id").get("calculate", "")
        calculated = _ID_OF.match(ident)
        create, update = (
            self._bind(f"{entity}/@{flag}").get("calculate")
            or ("true()" if node.get(flag) in ("1", "true") else None)
            for flag in ("create", "update")
        )
        return Container(
            type=node.get("dataset"),
            path=owner,
            repeat=self._repeat(owner),
            id_question=calculated.group(1) if calculated else None,
            ident=compile_expression(ident) if ident else None,
            create=compile_expression(create) if create else None,
            update=compile_expression(update) if update else None,
            relevant=self._relevant(owner),
        )

    def _question(self, path: str) -> Question:
        bind, control = self._bind(path), self.controls.get(path)
        required, constraint, calculate = (bind.get(key) for key in ("required", "constraint", "calculate"))
        saved_as = bind.get(_SAVE_TO)
        container, prop = self._saves(path, saved_as)
        kind = _kind(control, bind.get("type", "string"))
        return Question(
            name=path.rsplit("/", 1)[-1],
            path=path,
            kind=kind,
            repeat=self._repeat(path),
            required=compile_expression(required) if required else None,
            relevant=self._relevant(path),
            constraint=compile_expression(constraint) if constraint else None,
            message=self._text(bind.get(_MESSAGE)),
            calculation=compile_expression(calculate) if calculate else None,
            choices=self._choices(control),
            container=container,
            property=prop,
            prefilled=bool(saved_as and container is not None and self._loads(path, container.type, saved_as)),
            protected=self._protecting(path, kind, saved_as),
            list=_list(control),
            saved_as=saved_as if prop is not None else None,
        )

    def _saves(self, path: str, prop: str | None) -> tuple[Container | None, str | None]:
        if prop is None:
            return None, None
        owners = [c for c in self.containers if path.startswith(c.path + "/")]
        if not owners:
            raise FormError(f"{path}: saves to {prop} outside of any entity")
        container = max(owners, key=lambda c: len(c.path))
        properties = self.types[container.type].properties
        today = self.lifts.name(prop, properties)
        if today is None:
            return None, None  # the property is gone; the answers stay in the submissions
        if today not in properties:
            raise FormError(f"{path}: entity type {container.type} has no property {today}")
        return container, today

    def _values(self, path: str) -> list[str]:
        """What the form itself puts into a question (`default` or `trigger`), calculations written out."""
        return [self._written_out(node.get("value") or "") for node in self.sets if node.get("ref") == path]

    def _written_out(self, source: str, depth: int = 5) -> str:
        def calculation(reference: re.Match[str]) -> str:
            found = self.calculates.get(reference.group().rsplit("/", 1)[-1])
            return f"({self._written_out(found, depth - 1)})" if found and depth else reference.group()

        return _REFERENCE.sub(calculation, source)

    def _loads(self, path: str, entity_list: str, prop: str) -> bool:
        """Whether this form version loads the property itself into the question."""
        answers = {loads(value, entity_list, prop) for value in self._values(path)}
        if None in answers:
            raise FormError(f"{path}: what it loads of {prop} is changed on the way, so nobody knows what was shown")
        return True in answers

    def _protecting(self, path: str, kind: Kind, saved_to: str | None) -> Container | None:
        """The container whose protected half takes the answer: protected questions are found by their name."""
        name = path.rsplit("/", 1)[-1]
        takers = [(c, prop) for c in self.containers if (prop := self._secret(c, name)) is not None]
        if not takers:
            return None
        level = [(c, prop) for c, prop in takers if c.repeat == self._repeat(path)]
        inside = [(c, prop) for c, prop in level if path.startswith(c.path + "/")]
        if not inside and len(level) != 1:
            raise FormError(f"{path}: nobody can say whose {name} this is")
        container, prop = max(inside or level, key=lambda taker: len(taker[0].path))
        if KIND_OF.get(prop.type) is not kind:
            raise FormError(f"{path}: the protected property {name} is of type {prop.type}")
        if saved_to is not None or any("instance(" in value for value in self._values(path)):
            raise FormError(f"{path}: a protected question may load nothing and save to nothing")
        return container

    def _secret(self, container: Container, name: str) -> Property | None:
        """The property that only officers read: of the container's half, or of a wholly protected type."""
        kind = self.types[container.type]
        half = kind if kind.half is Half.PROTECTED else kind.protected_half
        prop = half.properties.get(self.lifts.name(name, half.properties) or "") if half else None
        return None if prop is None or (prop.placement and half is not kind) else prop

    def _for_officers(self, question: Question) -> bool:
        prop = self._secret(question.protected, question.name) if question.protected else None
        return prop is not None and prop.officer

    def _choices(self, control: etree._Element | None) -> frozenset[str] | None:
        if control is None or not etree.QName(control).localname.startswith("select"):
            return None
        itemset = control.find("x:itemset", _NS)
        if itemset is None:
            return frozenset(value.text or "" for value in control.iterfind("x:item/x:value", _NS))
        name = _list(control)
        instance = None if name is None else self.model.find(f"x:instance[@id='{name}']", _NS)
        if instance is None or instance.get("src"):
            return None
        return frozenset(node.text or "" for node in instance.iterfind("x:root/x:item/x:name", _NS))

    def _text(self, reference: str | None) -> str | None:
        """The Vietnamese wording of a message (the form's first translation), or the text itself."""
        match = re.match(r"jr:itext\('([^']+)'\)", reference or "")
        if match is None:
            return reference
        path = f"x:itext/x:translation/x:text[@id='{match.group(1)}']/x:value"
        return str(self.model.findtext(path, "", _NS)) or None


def _list(control: etree._Element | None) -> str | None:
    """The name of the list from which a question is answered."""
    itemset = None if control is None else control.find("x:itemset", _NS)
    name = None if itemset is None else re.match(r"\s*instance\('([^']+)'\)", itemset.get("nodeset", ""))
    return name.group(1) if name else None


def _kind(control: etree._Element | None, bind_type: str) -> Kind:
    tag = "" if control is None else etree.QName(control).localname
    if tag == "select1":
        return Kind.CODE
    if tag == "select":
        return Kind.CODES
    return Kind(_KINDS.get(bind_type, "text"))
