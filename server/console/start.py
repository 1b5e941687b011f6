"""The start page of the demonstration: what is in the database, and two lines to paste.

It shows names and access tokens, so it answers in demonstration mode alone, and only to this machine.
"""

import ipaddress
from typing import Any

from flask import Blueprint, Response, render_template, request

from server.cli.demo import demo_facts
from server.clock import now
from server.console.words import OUTCOMES, REASONS
from server.problems import Problem
from server.reading.overview import overview
from server.reminders.workbook import OUTCOMES as LINE_OUTCOMES
from server.world import current_nest

blueprint = Blueprint("start", __name__)


@blueprint.get("/")
def page() -> str:
    """The page."""
    _guard()
    nest, facts = current_nest(), _facts()
    return render_template(
        "start.html",
        view=overview(nest, now()),
        lines=_lines(facts),
        password=facts.get("password"),
        outcomes=OUTCOMES,
        reasons=REASONS,
        line_outcomes=LINE_OUTCOMES,
    )


@blueprint.get("/demo/batch.json")
def batch() -> Response:
    """The prepared batch, byte for byte as its digest was made."""
    _guard()
    sample = _facts().get("sample")
    if not sample:
        raise Problem("not_found")
    return Response(sample["batch"], content_type="application/json")


def _guard() -> None:
    """Only the person at this machine: no other address, no proxy, no web page under another host name."""
    headers = request.headers
    relayed = "X-Forwarded-For" in headers or "Forwarded" in headers
    here = _loopback(request.remote_addr or "") and _loopback(_host(request.host))
    if not current_nest().settings.demo or relayed or not here:
        raise Problem("not_found")


def _host(host: str) -> str:
    """The name or address in a Host header, without its port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _facts() -> dict[str, Any]:
    try:
        return demo_facts(current_nest().settings.data)
    except FileNotFoundError:
        return {}


def _lines(facts: dict[str, Any]) -> dict[str, str] | None:
    """The two commands; None before the demonstration data is there."""
    sample = facts.get("sample")
    if not sample:
        return None
    url, token = request.host_url.rstrip("/"), facts["tokens"][sample["token_user"]]
    allowed = f'-H "Authorization: Bearer {token}"'
    push = (
        f"curl -s {url}/demo/batch.json | curl -s -X POST {url}/api/v1/sync {allowed}"
        f' -H "Content-Type: application/json" -H "Content-Digest: {sample["digest"]}" --data-binary @-'
    )
    read = f"curl -s {url}/api/v1/entities/child/{sample['child']} {allowed} | python3 -m json.tool --no-ensure-ascii"
    return {"push": push, "read": read}
