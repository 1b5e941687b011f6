"""Signing in and out: sessions, passwords, roles, languages, and what others may try."""

from collections.abc import Callable

import pytest
from lxml import html

from server.auth.passwords import set_password
from server.clock import now
from tests.api.towns import Town
from tests.desk.pages import PASSWORD, Pages, tokens_of, words_of


def with_password(town: Town, user: str) -> Pages:
    with town.app.app_context():
        set_password(user, PASSWORD, now(), None)
    return Pages(town, None)


def test_an_officer_signs_in_and_comes_to_the_page_that_he_wanted(town: Town) -> None:
    pages = with_password(town, "s1")
    asked = pages.client.get("/desk/submissions?state=received")
    assert asked.status_code == 302
    page = pages.open(asked.headers["Location"])
    answer = pages.submit(page, user="s1", password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/submissions?state=received")
    home = pages.get("/desk")
    assert "Người dùng s1" in words_of(home)
    assert pages.submit(pages.get("/desk/account"), "/logout").status_code == 302
    assert pages.client.get("/desk").status_code == 302
    assert [row for row in tokens_of(town, "s1") if row.expires_at is not None] == []


def test_a_wrong_password_says_so_and_nobody_learns_who_exists(town: Town) -> None:
    pages = with_password(town, "s1")
    said = []
    for user in ("s1", "nobody"):
        answer = pages.submit(pages.open("/desk/login"), user=user, password="sai-mật-khẩu")
        assert answer.status_code == 401
        said.append(words_of(html.fromstring(answer.text).get_element_by_id("failure")))
    assert said == ["Tên đăng nhập hoặc mật khẩu không đúng."] * 2


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/desk//evil.example",
        "/api",
    ],
)
def test_nobody_is_led_to_another_site(town: Town, elsewhere: str) -> None:
    pages = with_password(town, "s1")
    page = pages.open("/desk/login")
    answer = pages.client.post(
        "/desk/login",
        data={
            "user": "s1",
            "password": PASSWORD,
            "back": elsewhere,
            "csrf_token": page.forms[-1].fields["csrf_token"],
        },
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk")


def test_a_session_that_was_planted_is_not_the_one_that_begins(town: Town) -> None:
    """Session fixation: what the browser had before means nothing afterwards, and its form secret is another one."""
    pages = with_password(town, "s1")
    with pages.client.session_transaction() as session:
        session["token"] = "toam_planted"
    pages.open("/desk/login")
    with pages.client.session_transaction() as session:
        planted, before = session.get("token"), session.get("csrf_token")
    pages.submit(pages.open("/desk/login"), user="s1", password=PASSWORD)
    with pages.client.session_transaction() as session:
        assert session["token"] != planted
        assert session.get("csrf_token") != before


def test_a_form_of_another_session_changes_nothing(town: Town, visit: Callable[..., Pages]) -> None:
    one, other = visit("s1"), visit("s1")
    ending = one.get("/desk/account")
    other.get("/desk/account")
    answer = one.client.post("/desk/logout")
    assert (answer.status_code, "form_expired" in answer.text) == (400, True)
    foreign = ending.forms[-1].fields["csrf_token"]
    assert other.client.post("/desk/logout", data={"csrf_token": foreign}).status_code == 400
    assert len(tokens_of(town, "s1")) == 3


def test_logins_are_listed_and_ended(town: Town, visit: Callable[..., Pages]) -> None:
    one, other = visit("s1"), visit("s1")
    page = one.get("/desk/account")
    rows = page.xpath("//section[@aria-labelledby='h-logins']//li")
    assert len(rows) == 2
    assert ["Phiên này" in words_of(row) for row in rows].count(True) == 1
    assert (
        one.submit(page, "/account/end", login=page.xpath("string(//button[@name='login']/@value)")).status_code
        == 302
    )
    assert other.client.get("/desk").status_code == 302
    assert len(one.get("/desk/account").xpath("//section[@aria-labelledby='h-logins']//li")) == 1
    strange = visit("s5").get("/desk/account").forms
    assert strange
    mine = tokens_of(town, "s1")[0].sha256[:16]
    assert visit("s5").post("/desk/account/end", login=mine).status_code == 404


def test_a_password_is_changed_and_other_logins_end(town: Town, visit: Callable[..., Pages]) -> None:
    with_password(town, "s1")
    one, other = visit("s1"), visit("s1")
    page = one.get("/desk/account")
    wrong = one.submit(page, "/account/password", old=PASSWORD, new="mật-khẩu-mới-01", again="khác-hẳn-nhau")
    assert wrong.status_code == 422
    short = one.submit(page, "/account/password", old=PASSWORD, new="ngắn", again="ngắn")
    assert (short.status_code, "ít nhất 10 ký tự" in short.text) == (422, True)
    right = one.submit(page, "/account/password", old=PASSWORD, new="mật-khẩu-mới-01", again="mật-khẩu-mới-01")
    assert right.status_code == 302
    assert one.client.get("/desk").status_code == 200
    assert other.client.get("/desk").status_code == 302


def test_an_administrator_helps_whoever_forgot_and_sees_no_child(town: Town, visit: Callable[..., Pages]) -> None:
    admin = visit("a1")
    assert admin.client.get("/desk").headers["Location"] == "/desk/people"
    answer = admin.submit(admin.get("/desk/people"), "/people/password", user="s1")
    word = html.fromstring(answer.text).xpath("string(//code[@class='secret'])")
    assert len(word) == 14
    pages = Pages(town, None)
    assert pages.submit(pages.open("/desk/login"), user="s1", password=word).status_code == 302
    assert pages.client.get("/desk").status_code == 200
    for path in ("/desk/submissions", "/desk/conflicts", "/desk/quarantine", "/desk/find"):
        assert admin.client.get(path).status_code == 403, path
    assert visit("s1").client.get("/desk/people").status_code == 403
    assert visit("s1").post("/desk/people/password", user="s5").status_code == 403


def test_a_collaborator_is_told_where_she_works(visit: Callable[..., Pages]) -> None:
    page = visit("u1").get("/desk", 403)
    assert "Cộng tác viên làm việc trên điện thoại" in words_of(page)


def test_the_language_is_switched_and_kept(officer: Pages) -> None:
    page = officer.open("/desk/account")
    assert page.getroottree().getroot().get("lang") == "vi"
    assert officer.submit(page, "/language", lang="en").headers["Location"] == "/desk/account"
    page = officer.get("/desk/account")
    assert page.getroottree().getroot().get("lang") == "en"
    assert "Sign out" in words_of(page)


def test_pages_may_not_be_framed_kept_or_run_foreign_scripts(officer: Pages) -> None:
    answer = officer.client.get("/desk")
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "'unsafe-inline'" not in policy and "default-src 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = officer.submit(officer.get("/desk"), "/language").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
