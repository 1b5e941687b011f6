"""How many worlds each property is shown: `TOAM_EXAMPLES`, 300 unless told."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("TOAM_EXAMPLES", "300"))
PROFILE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="TOAM_EXAMPLES" not in os.environ,  # one change, one verdict; `make soak` looks elsewhere each time
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
