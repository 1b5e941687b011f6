"""The files of a submission that came as XForm instance: kept in the one media store, named beside the submission.

The XML is stored before any of them. One that the policy refuses is told of and costs nothing else; one that cannot
be taken now is asked for again.
"""

from collections.abc import Sequence

from forms.text import storable
from forms.values import MAX_NAME
from server.auth.tokens import Caller
from server.auth.writing import write
from server.clock import now
from server.media.uploads import Body, Promise, Uploads
from server.openrosa.multipart import SentFile
from server.problems import CATALOGUE, Problem
from server.world import Nest
from sync.arrival import Arrival
from sync.batch import Medium
from sync.media import media_of
from sync.ports import Changes

LATER = ("volume_used", "busy", "wrong_offset")  # what a later try may bring to a good end


def attach(nest: Nest, who: Caller, arrival: Arrival, sub: str, files: Sequence[SentFile]) -> list[str]:
    """Keep these files and say which submission they are of; gives a sentence for each that was refused.

    Raises the problems `volume_used` and `busy`, with what could be kept kept: the phone has to send the rest again.
    """
    kept, refused, later = list[Medium](), list[str](), list[Problem]()
    for file in files:
        try:
            kept.append(_kept(nest, who, sub, file))
        except Problem as problem:
            if problem.code in LATER:
                later.append(problem)
            else:
                refused.append(f"Tệp {file.name[:MAX_NAME]}: {CATALOGUE[problem.code].title}")
    if kept:
        rows = media_of(arrival, sub, kept)
        write(lambda tx: tx.write(Changes(at=now(), media=rows)))
    if later:
        raise later[0]
    return refused


def _kept(nest: Nest, who: Caller, sub: str, file: SentFile) -> Medium:
    """Put one file into the store. Raises what uploads raise."""
    if file.lost:
        raise Problem("busy")
    if file.stream is None:
        raise Problem("media_too_large")
    if not file.name or len(file.name) > MAX_NAME or not storable(file.name) or not file.size:
        raise Problem("media_type_refused")
    uploads = Uploads(nest, who)
    ident, at = uploads.begin(Promise(file.sha256, sub, file.size))
    if ident is not None:
        file.stream.seek(at)
        uploads.add(ident, at, Body(file.stream, file.size - at), None)
    return Medium(file.name, file.sha256, file.size)
