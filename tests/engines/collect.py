"""`python -m tests.engines.collect URL`: the form engine of ODK Collect in the place of the phone.

URL is what the QR code of `flask device enrol --qr` holds, as http://127.0.0.1:8000/odk/toam_…. It asks for the forms
and their lists as Collect does, fills each form with invented answers, sends it, and says what the server answered.
"""

import re
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.engines.fill import Filled
from tests.engines.javarosa import Engine
from tests.engines.samples import registrations, situations

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MESSAGE = re.compile("<message[^>]*>(.*?)</message>")
UUID_4 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.M)
BOUNDARY = "toam-collect"


class Refused(Exception):
    """What the server did not answer as Collect needs it."""


def main(words: Sequence[str]) -> int:
    """Register a household and visit its child, or another one that is on the list."""
    if len(words) != 1 or "/odk/" not in words[0]:
        print(__doc__)
        return 2
    engine, door = Engine(), words[0].rstrip("/")
    try:
        for form in ("household_registration", "child_situation"):
            print(f"{form}: {send(door, fill(engine, door, form))}")
    except (Refused, urllib.error.URLError) as error:
        print(f"not sent: {error}")
        return 1
    finally:
        engine.close()
    return 0


def fill(engine: Engine, door: str, form: str) -> Filled:
    """Download a form with its lists, and fill it."""
    listed = get(f"{door}/formList").decode()
    item = next((one for one in re.findall("<xform>.*?</xform>", listed, re.S) if f"<formID>{form}<" in one), None)
    if item is None:
        raise Refused(f"{form} is not on the list of forms")
    xform, files = get(_of(item, "downloadUrl")).decode(), dict(_files(_of(item, "manifestUrl")))
    today, seed = datetime.now(ZONE).date(), secrets.randbelow(2**31)
    if form == "household_registration":
        mine = b"\n".join(files["wards.csv"].split(b"\n")[:2]) + b"\n"  # the first ward is one's own
        made = registrations(engine, xform, 1, seed, files | {"wards.csv": mine}, today=today)
    else:
        names = UUID_4.findall(files["child.csv"].decode())  # Collect updates no entity of another kind of id
        if not names:
            raise Refused("no child of a phone is on the list: the household that was drawn has none; once more")
        made = situations(engine, xform, 1, seed, files, names[:1], today=today)
    return next(made)


def send(door: str, filled: Filled) -> str:
    """HEAD, then POST, as Collect does; gives what it would show."""
    request(f"{door}/submission", "HEAD")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="xml_submission_file"; filename="form.xml"\r\n'
    body = f"{head}Content-Type: text/xml\r\n\r\n{filled.xml}\r\n--{BOUNDARY}--\r\n".encode()
    status, answer = request(f"{door}/submission", "POST", body)
    if status != 201:
        raise Refused(f"{status} {answer.decode()}")
    said = MESSAGE.search(answer.decode())
    return f"{filled.instance_id} {status} {said.group(1) if said else ''}"


def get(url: str) -> bytes:
    return request(url, "GET")[1]


def request(url: str, method: str, body: bytes | None = None) -> tuple[int, bytes]:
    """One request with Collect's headers. Raises `URLError` where there is no answer, or a refusal."""
    if not url.startswith(("http://", "https://")):
        raise Refused(f"{url} is no address")
    headers = {"X-OpenRosa-Version": "1.0", "User-Agent": "org.odk.collect.android", "Date": formatdate(usegmt=True)}
    headers |= {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} if body else {}
    asked = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return answer.status, answer.read()


def _files(url: str) -> Iterator[tuple[str, bytes]]:
    for one in re.findall("<mediaFile.*?</mediaFile>", get(url).decode(), re.S):
        yield Path(_of(one, "filename")).name, get(_of(one, "downloadUrl"))


def _of(item: str, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", item)
    if found is None:
        raise Refused(f"no {name}")
    return found.group(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
