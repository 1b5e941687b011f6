"""All forms, filled by the engine that phones run, go through the server: nothing is lost or bent."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from forms.catalogue import Catalogue
from forms.entity_types import PolicyName
from forms.filling import fill
from forms.form import Kind
from forms.schema import check
from server.clock import now
from server.rebuild import rebuild_all
from server.store.tables import Entity, VisitTable
from sync.arrival import Sender
from sync.authority import Role
from sync.envelope import RawItem
from sync.reading import Reader
from sync.times import DAY, local_date
from tests.api.builders import claim, moment
from tests.api.conftest import Town
from tests.engines.fill import Refusal
from tests.engines.javarosa import Engine
from tests.engines.town import Filler, Filling, typed
from tests.engines.web_forms import UUID, fill_in_browser
from tests.openrosa.engines import SENT, ByCollect, at_night, times_of

COUNT, LOT = 100, 50
PEOPLE = {"u1": (Role.COLLABORATOR, ("01", "02", "03")), "s1": (Role.SUPERVISOR, None)}
OFFICERS = {"child_review": "s1"}
ORDER = (
    "household_registration",
    "child_situation",
    "household_update",
    "follow_up_visit",
    "protection_report",
    "child_review",
)
_SEEN = re.compile(r' (?:baseVersion|trunkVersion|branchId)="[^"]*"')
_INSTANCE_ID = re.compile("<instanceID>(.*?)</instanceID>")
Made = Mapping[str, Sequence[Filling]]


def test_a_hundred_of_each_go_through_and_say_what_the_engine_says(
    new_town: Callable[..., Town], engine: Engine, catalogue: Catalogue
) -> None:
    """One test, because filling takes longer than sending: two workers would each fill all of them."""
    forms = {form.id: form for form in catalogue.current()}
    collect = ByCollect(new_town(PEOPLE))
    filler = Filler(engine, forms, COUNT, 11, local_date(now()), collect.serve)
    made = filler.everything()
    assert {name: len(fillings) for name, fillings in made.items()} == dict.fromkeys(ORDER, COUNT)
    _every_question_was_answered(made)
    _every_answer_has_the_type_of_its_question(new_town(PEOPLE), made)
    _what_the_engine_refuses_is_explained_at_its_question(catalogue, made)
    _the_engine_of_browsers_says_the_same(new_town(PEOPLE), filler)
    in_xml, in_json = _sent(new_town(PEOPLE), made, xml=True), _sent(new_town(PEOPLE), made, xml=False)
    assert _stored(in_xml) == _stored(in_json)
    _collect_gives_the_same(collect, new_town(PEOPLE), filler)
    with in_json.app.app_context():
        assert not rebuild_all(in_json.nest, now(), in_json.nest.committer.run, write=False).differences
    _without_claims_nothing_is_lost(new_town(PEOPLE), made)


def _sent(town: Town, made: Made, xml: bool) -> Town:
    """Every filling, on the state that its phone had: that after the registrations."""
    bases: dict[str, str] = {}
    before: dict[str, Any] = {}
    for name in ORDER:
        items = [_item(filling, xml, *_claims(filling, xml, bases, before)) for filling in made[name]]
        receipts = _push(town, items, OFFICERS.get(name, "u1"))
        assert {receipt["outcome"] for receipt in receipts} <= {"applied", "merged", "conflict"}
        # A child's date of birth is put right now and then, and no longer fits the number.
        assert {warning for receipt in receipts for warning in receipt["warnings"]} <= {"check_personal_id"}
        stored = _stored(town)[0]
        plain = [f for f, receipt in zip(made[name], receipts, strict=True) if receipt["outcome"] == "applied"]
        assert len(plain) > COUNT * 0.6, (name, len(plain))
        _compare(town, plain, stored)
        if name == "household_registration":
            assert len(plain) == COUNT
            bases = {entity["id"]: entity["etag"] for receipt in receipts for entity in receipt["entities"]}
            assert set(bases) == {entity.id for filling in plain for entity in filling.entities}
            before = {ident: data for ident, (_, _, data) in stored.items()}
    return town


def _claims(filling: Filling, xml: bool, bases: Mapping[str, str], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the phone knew of whom it is about. Officers' forms show nothing; a JSON item says which id is new."""
    known = [one for one in filling.entities if one.id in bases and filling.form.id not in OFFICERS]
    new = [] if xml else [one for one in filling.entities if one.dataset == "report" and one.create]
    return [claim(one.dataset, one.id, bases[one.id], before[one.id]) for one in known] + [
        claim(one.dataset, one.id) for one in new
    ]


def _item(filling: Filling, xml: bool, *claims: Mapping[str, Any]) -> dict[str, Any]:
    told = {"xml": filling.filled.xml} if xml else {"answers": filling.answers()}
    return {
        "id": filling.filled.instance_id,
        "form": filling.form.id,
        "version": filling.form.version,
        "observed_at": moment(-0.01 if filling.form.id == ORDER[0] else 0.0001),
        "entities": list(claims),
    } | told


def _push(town: Town, items: Sequence[Mapping[str, Any]], user: str = "u1") -> list[dict[str, Any]]:
    return [one for at in range(0, len(items), LOT) for one in town.push(items[at : at + LOT], user)]


def _stored(town: Town) -> tuple[dict[str, Any], set[Any]]:
    """Every entity (id -> type, scope, data) and every visit: what a submission may have changed."""
    ids = [row.id for row in town.rows(select(Entity.id))]
    with town.app.app_context(), town.nest.store.transaction([]) as tx:
        rows = {ident: ledger.row for ident, ledger in tx.ledgers(ids).items()}
    visits = town.rows(select(VisitTable.rule, VisitTable.subject, VisitTable.state))
    entities = {ident: (row.type, row.scope, dict(row.data)) for ident, row in rows.items() if row is not None}
    return entities, {tuple(visit) for visit in visits}


def _compare(town: Town, fillings: Sequence[Filling], stored: Mapping[str, Any]) -> None:
    """An entity on the server is what the engine would put into the phone's own list; some sets only grow."""
    times = Counter(entity.id for filling in fillings for entity in filling.entities)
    for filling in fillings:
        questions = {(q.container.type, q.property): q for q in filling.form.questions if q.container is not None}
        for entity in filling.entities:
            kind, _, data = stored[entity.id]
            assert kind == entity.dataset
            for name, text in entity.properties.items():
                policy = town.nest.catalogue.types[kind].properties[name].policy
                value = typed(questions[kind, name].kind, text)
                if value is None and questions[kind, name].kind is Kind.FILE:
                    continue  # no photo is taken away by taking none
                if policy is PolicyName.UNION_GROW:
                    assert set(value or ()) <= set(data.get(name) or ()), (entity.id, name)
                elif policy is not PolicyName.SERIES and times[entity.id] == 1:
                    assert data.get(name) == value, (entity.id, name)


def _every_question_was_answered(made: Made) -> None:
    """At least once in a hundred fillings, so that what follows is said of every question."""
    for name, fillings in made.items():
        form = fillings[0].form
        leaves = [(filling, path) for filling in fillings for path, text in filling.filled.expected.items() if text]
        answered = {place[0].name for filling, path in leaves if (place := filling.place(path)) is not None}
        notes = {q.name for q in form.questions if f'nodeset="{q.path}" readonly="true()"' in form.xml}
        assert {q.name for q in form.questions} - notes - answered == set(), name


def _every_answer_has_the_type_of_its_question(town: Town, made: Made) -> None:
    reader = Reader(town.nest.catalogue, town.nest.places, town.nest.limits)
    kinds = set()
    for filling in (filling for fillings in made.values() for filling in fillings):
        raw = RawItem(b"", _item(filling, xml=True), None)
        arrival = reader.read(raw, Sender("u1", None, frozenset({"u1"}), 0), None, now())
        assert arrival.held is None, arrival.problems
        assert arrival.filled is not None
        for path, text in filling.filled.expected.items():
            if (place := filling.place(path)) is not None:
                question, row = place
                kinds.add(question.kind)
                answers: Mapping[str, Any] = arrival.filled.answers
                answers = answers if row is None else answers[str(question.repeat)][row]
                assert answers.get(question.name) == typed(question.kind, text), path
    assert kinds == set(Kind)


def _the_engine_of_browsers_says_the_same(town: Town, filler: Filler) -> None:
    """The same answers, given to getodk's other engine: both submissions tell the same of the same entities."""
    reader = Reader(town.nest.catalogue, town.nest.places, town.nest.limits)

    def told(filling: Filling) -> tuple[list[Any], list[Any]]:
        raw = RawItem(b"", _item(filling, xml=True), None)
        arrival = reader.read(raw, Sender("u1", None, frozenset({"u1"}), 0), None, now())
        assert arrival.held is None, arrival.problems
        named = [(claim.type, claim.id, claim.base_rev) for claim in arrival.claims.values() if claim.base_rev != 0]
        return [(one.type, one.id, one.pointer, one.creates, one.said) for one in arrival.told], named

    for name, fillings in filler.made.items():
        answers = [filling.filled.answered for filling in fillings]
        known = {found.group() for file in filler.files[name].values() for found in UUID.finditer(file.decode())}
        made = fill_in_browser(fillings[0].form.xml, filler.files[name], answers)
        for filling, other in zip(fillings, made, strict=True):
            assert other.problems == ()
            again = replace(
                filling, filled=replace(filling.filled, xml=other.xml, instance_id=_instance_id(other.xml))
            )
            assert _named_in_turn(told(again), known) == _named_in_turn(told(filling), known), name


def _named_in_turn(value: Any, known: Set[str], names: dict[str, str] | None = None) -> Any:
    """The value with every id that an engine has made up replaced by its number, and moments left out."""
    names = {} if names is None else names
    if isinstance(value, Mapping):
        return {key: _named_in_turn(value[key], known, names) for key in sorted(value) if key != "received_at"}
    if isinstance(value, list | tuple):
        return [_named_in_turn(one, known, names) for one in value]
    if isinstance(value, str) and UUID.fullmatch(value) and value not in known:
        return names.setdefault(value, f"id {len(names)}")
    return value


def _instance_id(xml: str) -> str:
    found = _INSTANCE_ID.search(xml)
    assert found is not None
    return found.group(1)


def _what_the_engine_refuses_is_explained_at_its_question(catalogue: Catalogue, made: Made) -> None:
    """Each value that the engine did not take, put into the finished answers, is a problem of that question."""
    today = local_date(now() + DAY)
    refused: set[tuple[str, str]] = set()
    for name, fillings in made.items():
        for filling in fillings:
            for one in filling.filled.refused:
                place = filling.place(one.path)
                if place is None or one.path not in filling.filled.expected:
                    continue
                question, row = place
                if one.why is Refusal.NOT_OFFERED and question.choices is None:
                    continue  # a list that only the phone has
                answers = filling.answers()
                into = answers if row is None else answers[str(question.repeat)][row]
                into[question.name] = one.value and typed(question.kind, one.value)
                entry = catalogue.find(name, filling.form.version)
                assert entry is not None
                loaded, problems = check(entry.schema, answers)
                problems = problems or list(fill(filling.form, catalogue.types, loaded, [], "uuid:1", today).problems)
                pointer = (
                    f"/answers/{question.name}"
                    if row is None
                    else f"/answers/{question.repeat}/{row}/{question.name}"
                )
                assert pointer in {problem.pointer for problem in problems}, (name, one)
                refused.add((name, question.name))
    assert len(refused) > 40


def _collect_gives_the_same(collect: ByCollect, town: Town, filler: Filler) -> None:
    """Sent one by one, on the lists that were served: as in JSON with the same knowledge at the same time."""
    made = filler.made
    collect.post(made)
    outcomes = collect.outcomes()
    assert set(outcomes.values()) <= {"applied", "merged", "conflict"}
    bases: dict[str, str] = {}
    before: dict[str, Any] = {}
    for name in SENT:
        items = [_item(one, False, *_claims(one, False, bases, before)) for one in made[name]]
        items = [item | times_of(one) for item, one in zip(items, made[name], strict=True)]
        with at_night(made[name][0]):
            receipts = _push(town, items, OFFICERS.get(name, "u1"))
        assert [receipt["outcome"] for receipt in receipts] == [outcomes[receipt["id"]] for receipt in receipts]
        plain = [one for one in made[name] if outcomes[one.filled.instance_id] == "applied"]
        assert len(plain) > COUNT * 0.6, (name, len(plain))
        _compare(town, plain, _stored(town)[0])
        if name == SENT[0]:
            bases = {entity["id"]: entity["etag"] for receipt in receipts for entity in receipt["entities"]}
            before = {ident: data for ident, (_, _, data) in _stored(town)[0].items()}
    (entities, visits), (same, planned) = _stored(collect.town), _stored(town)
    assert entities == same
    # Of one by one more visits have come and gone than of many in one transaction.
    assert {one for one in visits if one[2] == "open"} == {one for one in planned if one[2] == "open"}
    for name, fillings in made.items():
        answers = [filling.filled.answered for filling in fillings[:5]]
        for one in fill_in_browser(fillings[0].form.xml, filler.files[name], answers):
            assert one.problems == ()
            collect.send(fillings[0], one.xml, OFFICERS.get(name, "u1"))
    assert set(collect.outcomes().values()) <= {"applied", "merged", "conflict"}


def _without_claims_nothing_is_lost(town: Town, made: Made) -> None:
    """A phone that tells no state: what it was shown is unknown, so a different name waits for a person."""
    registered = made["household_registration"][:30]
    _push(town, [_item(filling, xml=True) for filling in registered])
    here = {entity.id for filling in registered for entity in filling.entities}
    visits = [filling for filling in made["child_situation"] if filling.entities[0].id in here]
    assert len(visits) > 5
    items = [_item(filling, xml=True) for filling in visits]
    items = [item | {"xml": _SEEN.sub("", item["xml"])} for item in items]
    receipts = _push(town, items)
    assert {receipt["outcome"] for receipt in receipts} <= {"applied", "conflict"}
    for filling, receipt in zip(visits, receipts, strict=True):
        assert set(receipt["warnings"]) - {"check_personal_id"} == {"unknown_base"}
        (entity,) = filling.entities
        state = town.child(entity.id)
        assert state["data"].get("risk_now") == entity.properties.get("risk_now")
        names = [state["data"]["full_name"]]
        names += [
            v["value"]["full_name"] for c in state["conflicts"] if c["cell"] == "full_name" for v in c["values"]
        ]
        assert entity.properties.get("full_name", names[0]) in names
