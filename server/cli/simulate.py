"""`flask simulate`: phones over real HTTP against a running server, and whether it keeps its promises."""

import click
from flask.cli import with_appcontext

from server.cli.demo import demo_facts
from server.world import current_nest


@click.command("simulate")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The running server.")
@with_appcontext
def simulate(url: str) -> None:
    """Play phones that work offline against the demonstration server. Fails if a promise is not kept."""
    try:
        # The phones are the reference client, which knows the server from docs/protocol.md alone.
        from tests.device import NoAnswer, Refused
        from tests.story import Broken, play
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("tests"):
            raise
        raise click.ClickException("thiếu thư mục tests cạnh server, nơi có các máy của câu chuyện") from error
    nest = current_nest()
    try:
        tokens = demo_facts(nest.settings.data)["tokens"]
    except FileNotFoundError as error:
        raise click.ClickException(
            f"chưa có dữ liệu mẫu trong {nest.settings.data}; chạy trước: flask demo seed"
        ) from error
    try:
        play(url.rstrip("/"), tokens, click.echo)
    except NoAnswer as error:
        raise click.ClickException(f"không có máy chủ nào trả lời ở {url}; chạy trước: make run") from error
    except Refused as error:
        raise click.ClickException(f"máy chủ từ chối: {error}") from error
    except Broken as error:
        raise click.ClickException(f"máy chủ không giữ lời: {error}") from error
    click.echo("Xong: máy chủ giữ đúng mọi điều đã hứa.")
