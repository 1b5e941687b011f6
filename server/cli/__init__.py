"""The commands of `flask`: what an operator does that no page does yet."""

from flask import Flask

from server.cli.demo import demo
from server.cli.lists import lists, plan
from server.cli.people import areas, device, user
from server.cli.simulate import simulate


def register_commands(app: Flask) -> None:
    """Add every command group to `flask`."""
    for command in (areas, user, device, lists, plan, simulate, demo):
        app.cli.add_command(command)
    app.cli.short_help = "Tổ Ấm"
