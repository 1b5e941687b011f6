"""A server that takes in batches, and of which ops may be taken out again, as when one is held."""

from collections.abc import Iterable

from forms.entity_types import EntityType
from sync.state.extract import Extraction
from sync.state.model import Op, State, Writes


class Incremental:
    """Carries the derived writes over, each with the key of what it follows from."""

    def __init__(self, kind: EntityType) -> None:
        self.kind = kind
        self.ops: dict[str, Op] = {}
        self.derived: dict[str, tuple[str, Writes]] = {}

    def take(self, batch: Iterable[Op] = (), leaving: Iterable[str] = ()) -> tuple[State | None, dict[str, Writes]]:
        """The state and the writes after a batch has come and others have left."""
        self.ops |= {op.sub: op for op in batch if op.sub not in self.ops}
        for sub in leaving:
            self.ops.pop(sub, None)
        if not self.ops:
            return None, {}
        extraction = Extraction(self.kind, self.ops, self.derived)
        state, writes = extraction.state(), extraction.writes()
        self.derived |= {sub: (extraction.keys[sub], found) for sub, found in writes.items()}
        return state, writes
