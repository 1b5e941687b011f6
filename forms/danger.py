"""Danger signs in answers that may be of no known form, or wrong elsewhere: a danger never waits for a typo.

Found by the name of the property alone. Nothing here raises, whatever was sent.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from forms.entity_types import EntityType, Property, PropertyType
from forms.instance import UnreadableInstance, parse_instance

MAX_NODES = 20_000  # values looked at
MAX_CODES = 50  # of one property
MAX_CODE = 120  # characters of one code
MAX_NUMBER = 100_000  # a larger one is no code
_ANY = "*"


def danger_signs(types: Mapping[str, EntityType], answers: Any) -> dict[str, Any]:
    """The danger signs in `answers` (dicts and lists in any depth): property -> code, or sorted codes of a set.

    Of several codes the gravest by the property's rank counts.
    """
    return _signs(types, islice(_named(answers), MAX_NODES))


def danger_signs_of_xml(types: Mapping[str, EntityType], xml: Any) -> dict[str, Any]:
    """The same of an XForm instance, by the local names of its elements; nothing of one that is unreadable."""
    try:
        root = parse_instance(xml).root
    except (UnreadableInstance, AttributeError, TypeError):
        return {}
    leaves = ((node.tag, "".join(node.itertext())) for node in root.iter("{*}*") if len(node) == 0)
    return _signs(types, islice(((tag.rsplit("}", 1)[-1], text) for tag, text in leaves), MAX_NODES))


def _signs(types: Mapping[str, EntityType], named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    signs = {name: p for kind in types.values() for name, p in kind.properties.items() if p.danger}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, value in named:
        if name in signs:
            found[name] |= {code for code in _codes(value) if {code, _ANY} & set(signs[name].danger)}
    return {name: _value(signs[name], codes) for name, codes in found.items() if codes}


def _value(prop: Property, codes: set[str]) -> Any:
    if prop.type is PropertyType.SET:
        return sorted(codes)[:MAX_CODES]
    return max(codes, key=lambda code: (prop.rank.index(code) if code in prop.rank else -1, code))


def _named(answers: Any) -> Iterator[tuple[str, Any]]:
    """Every value that has a name, groups in the name (`a/b`) left out."""
    waiting = [answers]
    seen = 0
    while waiting and seen < MAX_NODES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, Mapping):
            yield from ((key.rsplit("/", 1)[-1], value) for key, value in node.items() if isinstance(key, str))
            waiting += node.values()
        elif isinstance(node, list | tuple):
            waiting += node


def _codes(value: Any) -> Iterator[str]:
    """The codes of an answer of whatever type: true and 1 both say `1`, false says nothing."""
    values = value if isinstance(value, list | tuple) else [value]
    for one in islice(values, MAX_CODES):
        if isinstance(one, str):
            yield from (code[:MAX_CODE] for code in islice(one.split(), MAX_CODES))
        elif one is not False and isinstance(one, int | float) and abs(one) < MAX_NUMBER:
            yield f"{one:g}"
