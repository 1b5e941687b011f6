"""`flask simulate` against a real server on a loopback port."""

import sys
import threading
from collections.abc import Callable, Iterator

import orjson
import pytest
from werkzeug.serving import make_server

import tests.story
from sync.authority import Role
from tests.api.conftest import Town

PEOPLE = {
    "u11": (Role.COLLABORATOR, ("01", "02", "03")),
    "u12": (Role.COLLABORATOR, ("04", "05", "06")),
    "u21": (Role.SUPERVISOR, None),
}


@pytest.fixture
def commune(new_town: Callable[..., Town]) -> Town:
    """A server with the people of the demonstration, and the file that tells their tokens."""
    town = new_town(PEOPLE)
    (town.nest.settings.data / "demo.json").write_bytes(orjson.dumps({"tokens": town.tokens, "sample": {}}))
    return town


@pytest.fixture
def url(commune: Town) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, commune.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_simulation_passes_as_often_as_one_likes(commune: Town, url: str) -> None:
    runner = commune.app.test_cli_runner()
    for run in (1, 2):
        result = runner.invoke(args=["simulate", "--url", url])
        assert result.exit_code == 0, result.output
        assert "Xong: máy chủ giữ đúng mọi điều đã hứa." in result.output
        assert result.output.count("đã nhận và áp dụng") == 18
        assert "(ward_unknown)" in result.output
        assert "biên nhận cũ" in result.output
        assert "lần thăm cần làm" in result.output
        assert "Nguyễn" not in result.output
        assert len(commune.stored()) == 20 * run


def test_it_fails_when_a_promise_is_not_kept(commune: Town, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tests.story, "WARD", "99998")
    result = commune.app.test_cli_runner().invoke(args=["simulate", "--url", url])
    assert result.exit_code == 1
    assert "máy chủ không giữ lời: hộ mới được áp dụng" in result.output


def test_it_says_so_when_nobody_answers(commune: Town) -> None:
    result = commune.app.test_cli_runner().invoke(args=["simulate", "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert result.output.count("\n") == 2  # the title of the first part, and why it ended there
    assert "không có máy chủ nào trả lời ở http://127.0.0.1:9" in result.output


def test_it_says_so_when_there_is_no_demonstration(new_town: Callable[..., Town]) -> None:
    result = new_town().app.test_cli_runner().invoke(args=["simulate"])
    assert result.exit_code == 1
    assert "flask demo seed" in result.output


def test_it_says_so_where_the_phones_are_missing(commune: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tests.story", None)
    result = commune.app.test_cli_runner().invoke(args=["simulate"])
    assert result.exit_code == 1
    assert "thiếu thư mục tests" in result.output
