"""How the server runs: its jobs, figures, versions and settings. For administrators; no child is here."""

from dataclasses import dataclass, fields
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import make_url

from config.settings import Settings
from server.audit import append
from server.auth.writing import write
from server.clock import now
from server.console import running_words
from server.console.running_words import JOBS, SETTINGS
from server.console.session import Visitor, administrator
from server.problems import Problem
from server.reading.figures import figures
from server.reading.jobs import holder, job_lines, latest_runs
from server.reminders.jobs import JOBS as KNOWN
from server.reminders.runs import want
from server.store.people import author_of
from server.store.store import SqlTransaction
from server.world import current_nest
from sync.ports import AuditRow

MOST = 100  # runs that are shown


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/running", view_func=running)
    desk.add_url_rule("/running/run", view_func=run_now, methods=["POST"])
    desk.add_url_rule("/running/runs", view_func=runs)
    desk.add_url_rule("/running/settings", view_func=settings)


@dataclass(frozen=True)
class Shown:
    """A setting: its variable, what it is set to unless that is secret, whether it is the default, what it means."""

    variable: str
    value: str
    default: bool
    about: Any


def running() -> str:
    """Jobs and figures."""
    me, at = administrator(), now()
    return render_template(
        "desk/running.html", me=me, at=at, jobs=job_lines(at), holder=holder(at), figures=figures(current_nest(), at),
        told=running_words,
    )  # fmt: skip


def runs() -> str:
    """The history of the jobs."""
    me, at, job = administrator(), now(), request.args.get("job") or None
    if job is not None and job not in KNOWN:
        raise Problem("not_found")
    failed = request.args.get("failed") == "1"
    found = latest_runs(job, failed, MOST)
    shown = {"runs": found, "job": job, "failed": failed, "most": MOST, "holder": holder(at)}
    return render_template("desk/runs.html", me=me, told=running_words, **shown)


def settings() -> str:
    """What the server was started with."""
    me = administrator()
    return render_template("desk/settings.html", me=me, settings=shown_settings(current_nest().settings))


def run_now() -> Response:
    """Ask for a run of a job: whichever process holds the lease begins it within seconds, so no request waits."""
    me, job, at = administrator(), request.form.get("job", ""), now()
    area = acting(me)
    if job not in KNOWN:
        raise Problem("not_found")

    def ask(tx: SqlTransaction) -> bool:
        asked = want(tx.connection, job, at, me.id)
        if asked:
            append(tx.connection, [AuditRow(area, at, me.id, "run_job", job)], tx.areas)
        return asked

    name = JOBS[job][0]
    if write(ask, [area]):
        flash(_("Đã yêu cầu chạy “%(job)s”. Tiến trình đang giữ lịch sẽ bắt đầu trong vài giây.", job=name))
    else:
        flash(_("“%(job)s” đã được yêu cầu trước đó và đang chờ bắt đầu.", job=name))
    return make_response(redirect(url_for("desk.running")))


def acting(me: Visitor) -> str:
    """The area in whose journal it stands what an administrator does about the whole server."""
    return author_of(me.id).home(me.access.today)


def shown_settings(used: Settings) -> list[Shown]:
    """Every setting; of secrets only whether they are set."""
    plain = Settings()
    return [
        Shown(
            f"TOAM_{field.name.upper()}",
            _value(field.name, getattr(used, field.name)),
            getattr(used, field.name) == getattr(plain, field.name),
            SETTINGS.get(field.name, ""),
        )
        for field in fields(Settings)
    ]


def _value(name: str, value: Any) -> str:
    if value in ("", None):
        return ""
    if name == "secret":
        return _("đã đặt")
    if name == "database_url":
        url = make_url(value)  # whatever stands behind the ? may hold a password, too
        at = f"{url.username}@" if url.username else ""
        return f"{url.drivername}://{at}{url.host or ''}/{url.database or ''}"
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
