"""The commands of `flask`: what an operator does that no page does yet."""

from flask import Flask

from server.cli.audit import audit
from server.cli.demo import demo
from server.cli.form_versions import forms
from server.cli.jobs import jobs
from server.cli.lists import lists
from server.cli.people import areas, device, user
from server.cli.rebuild import rebuild
from server.cli.restored import restored
from server.cli.rules import rules
from server.cli.simulate import simulate


def register_commands(app: Flask) -> None:
    """Add every command group to `flask`."""
    for command in (areas, audit, user, device, forms, jobs, lists, rebuild, restored, rules, simulate, demo):
        app.cli.add_command(command)
    app.cli.short_help = "Tổ Ấm"
