"""The register of acts on one submission: rejected, taken in as it is, or read with a patch.

An act replaces the acts that its author had seen. Of acts made without knowing of each other the strongest counts,
and the supervisors hear of the others.
"""

from collections.abc import Iterable, Mapping

from sync.state.knowledge import Known
from sync.state.model import ABOUT_A_SUBMISSION, Act, Op, Standing, Verdict

STRENGTH = {Act.REJECT: 0, Act.UNREJECT: 1, Act.ACCEPT: 2, Act.REPAIR: 3}


def verdicts(ops: Mapping[str, Op], universe: Iterable[str], known: Known) -> dict[str, Verdict]:
    """What the acts among `universe` amount to, by the submission that they are about."""
    about: dict[str, list[Op]] = {}
    for sub in universe:
        op = ops[sub]
        if op.act in ABOUT_A_SUBMISSION and op.standing is Standing.SUPERVISOR and op.target is not None:
            about.setdefault(op.target, []).append(op)
    return {target: verdict(acts, known) for target, acts in about.items()}


def verdict(acts: list[Op], known: Known) -> Verdict:
    """Which of the acts on one submission counts."""
    standing = [act for act in acts if not any(act.sub in known[other.sub] for other in acts if other is not act)]
    first = max(standing, key=lambda act: (STRENGTH[act.act], act.t, act.sub))
    unseen = tuple(sorted(act.sub for act in standing if act.act is not first.act))
    if first.act is Act.UNREJECT:  # what was taken in with a patch comes back with it
        before = _but_for_rejections([act for act in acts if act.sub in known[first.sub]], known)
        if before is not None and before.act is Act.REPAIR:
            return Verdict(Act.REPAIR, before.by, unseen)
    return Verdict(first.act, first.sub, unseen)


def _but_for_rejections(acts: list[Op], known: Known) -> Verdict | None:
    """What acts had amounted to before the submission was rejected."""
    while acts:
        found = verdict(acts, known)
        if found.act is not Act.REJECT:
            return found
        acts = [act for act in acts if act.sub != found.by]
    return None
