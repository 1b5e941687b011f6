"""A browser without a screen: signed in, reads pages, fills in the forms that stand on them."""

from typing import Any

from lxml import html
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.auth.tokens import mint
from server.clock import now
from server.store.tables import db
from tests.api.towns import Town

HOUR = 3_600_000
PASSWORD = "quả-dừa-xanh-2026"


class Pages:
    """The pages as one user of a town gets them; None: nobody is signed in.

    Signing in costs a password's hash, so most tests begin with the session that it would give.
    """

    def __init__(self, town: Town, user: str | None) -> None:
        self.town, self.client = town, town.app.test_client()
        if user is not None:
            with town.app.app_context():
                token = mint(db.session.connection(), user, None, now(), now() + HOUR)
                db.session.commit()
            with self.client.session_transaction() as session:
                session["token"] = token

    def get(self, path: str, status: int = 200) -> Any:
        """A page as a document."""
        answer = self.client.get(path)
        assert answer.status_code == status, (answer.status_code, answer.text[:2000])
        return html.fromstring(answer.text)

    def submit(self, page: Any, action: str | None = None, **values: Any) -> TestResponse:
        """Send a form of a page (by the end of its action if there are several), as filled in and with `values`."""
        forms = [one for one in page.forms if action is None or (one.get("action") or "").endswith(action)]
        forms = [one for one in forms if one.get("method", "get") == "post"]
        assert forms, (action, [one.get("action") for one in page.forms])
        form = forms[0] if action is not None else forms[-1]
        filled = [(name, value) for name, value in form.form_values() if name not in values]
        for name, value in values.items():
            filled += [(name, one) for one in (value if isinstance(value, list) else [value])]
        target = form.get("action") or page.get("data-path") or self.path
        data: dict[str, list[Any]] = {}
        for name, value in filled:
            data.setdefault(name, []).append(value)
        return self.client.post(target, data=data)

    def parse(self, answer: TestResponse) -> Any:
        """The document of an answer."""
        return html.fromstring(answer.text)

    def open(self, path: str) -> Any:
        """`get`, remembering the path for forms that are sent where they stand."""
        self.path = path
        return self.get(path)

    def post(self, path: str, **values: Any) -> TestResponse:
        """Send values with a right form secret, past every form."""
        token = self.get("/desk/login").xpath("string(//input[@name='csrf_token']/@value)")
        return self.client.post(path, data={"csrf_token": token} | values)


def words_of(node: Any) -> str:
    """What a reader sees of a node."""
    return " ".join(node.text_content().split())


def tokens_of(town: Town, user: str) -> list[Any]:
    """The rows of a user's tokens."""
    from server.auth.tokens import token_table

    return town.rows(select(token_table).where(token_table.c.user == user))
