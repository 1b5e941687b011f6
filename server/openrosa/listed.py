"""Which list each phone was given last, as far as this process knows."""

import threading
from collections import OrderedDict

from server.openrosa.lists import Marks

MOST_PHONES = 10_000  # that a process remembers


class Listed:
    """Up to which numbers the lists of phones are noted, by this process. To know less only costs time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: OrderedDict[tuple[str, str, str], Marks] = OrderedDict()

    def changed(self, phone: tuple[str, str, str], marks: Marks) -> set[str] | None:
        """The scopes in which a phone's list may differ from the one noted before; None: in any."""
        with self._lock:
            before = self._noted.get(phone)
        if before is None or before.epoch != marks.epoch:
            return None
        return {scope for scope, _ in set(before.heads) ^ set(marks.heads)}

    def note(self, phone: tuple[str, str, str], marks: Marks) -> None:
        with self._lock:
            self._noted[phone] = marks
            self._noted.move_to_end(phone)
            while len(self._noted) > MOST_PHONES:
                self._noted.popitem(last=False)
