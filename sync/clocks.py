"""When something was observed, from a phone whose clock may be wrong. All times in ms since 1970 UTC."""

from dataclasses import dataclass

from sync.batch import DeviceClock

TOLERANCE = 5 * 60 * 1000


@dataclass(frozen=True)
class Observed:
    """A normalised time; a suspect one never beats a good concurrent write."""

    t: int
    suspect: bool


def normalise(
    stated: int,
    received: int,
    clock: DeviceClock | None,
    boot: str | None,
    mono: int | None,
    late: bool,
    not_before: int | None,
) -> Observed:
    """The time of an observation stated as `stated` and received at `received`.

    With an unchanged boot the phone's monotonic clock decides; else its wall clock, corrected by how far it is
    off now. Bounds: not before `not_before` (the newest thing its author had seen, or the enrolment), not after
    the receipt; outside by more than five minutes is suspect, and clamped. A paper form typed in `late` keeps
    the stated time and is suspect only if it lies in the future.
    """
    if late:
        return Observed(min(stated, received), stated > received + TOLERANCE)
    t = stated
    if clock is not None:
        t = stated + received - clock.wall
        if boot is not None and mono is not None and clock.mono is not None and boot == clock.boot:
            t = received - (clock.mono - mono)
    lower = received if not_before is None else min(not_before, received)
    suspect = t > received + TOLERANCE or (not_before is not None and t < lower - TOLERANCE)
    return Observed(max(lower, min(t, received)) if not_before is not None else min(t, received), suspect)
