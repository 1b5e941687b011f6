"""What is worth doing now and then: a phone asks every few minutes, and each note of it would be a transaction."""

import threading

MOST = 10_000  # phones that are remembered


class Seldom:
    """Lets something be done for a key once in a while; each process for itself."""

    def __init__(self, every: int) -> None:
        """`every` so many ms."""
        self._every, self._lock, self._done = every, threading.Lock(), dict[str, int]()

    def due(self, key: str, at: int) -> bool:
        """Whether it is to be done at the instant `at` (ms); then it is taken as done."""
        with self._lock:
            if 0 <= at - self._done.get(key, -self._every) < self._every:
                return False
            if len(self._done) >= MOST:
                self._done.clear()
            self._done[key] = at
            return True
