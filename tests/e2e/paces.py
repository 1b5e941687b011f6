"""What `tests.e2e.hasty` and the test of it agree on: how long a turn pauses (s), and the names of files."""

PAUSE = 0.7
PAUSE_AT = "pause_at"  # where turns pause: before the transaction, or inside
ISSUED = "issued"  # a line for each area done
BEGUN = "begun"  # and for each pause
