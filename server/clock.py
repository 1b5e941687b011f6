"""The server's own clock."""

from datetime import UTC, datetime

from sync.times import to_ms


def now() -> int:
    """Now, in ms since 1970 UTC."""
    return to_ms(datetime.now(UTC))
