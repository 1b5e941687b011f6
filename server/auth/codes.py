"""Codes that a person types: ten characters that cannot be taken for one another, of which only a hash is stored.

Source: Crockford's base 32, which leaves out I, L, O and U. Ten characters are 50 bits: enough for something that is
good once, for some days, where guesses are counted.
"""

import hashlib
import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
_ALIKE = str.maketrans("ILO", "110")


def new_code() -> str:
    """A code as it is shown: `XXXXX-XXXXX`."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{drawn[:5]}-{drawn[5:]}"


def code_digest(typed: str) -> str:
    """What is stored of a code, however it was typed: case, blanks, dashes and look-alikes do not matter."""
    plain = re.sub(r"[\s\-\u2010-\u2015_.]", "", typed).upper().translate(_ALIKE)
    return hashlib.sha256(plain.encode()).hexdigest()
