"""What the engine asks of the phone around it: its properties, its media folder, its clock.

Implemented as proxies of the engine's Java interfaces, so that no Java has to be compiled.
"""

import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import jpype


def as_phone_list(content: bytes) -> bytes:
    """A served CSV as the phone's form sees it: entity lists gain what Collect makes on the phone.

    On download a row's trunk is the version downloaded, its branch a new UUID. Other files are left alone.
    """
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    if not rows or "__version" not in rows[0] or "__branchId" in rows[0]:
        return content
    for row in rows:
        seed = hashlib.sha256(f"{row['name']} {row['__version']}".encode()).digest()
        row |= {"__trunkVersion": row["__version"], "__branchId": str(UUID(bytes=seed[:16], version=4))}
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


@jpype.JImplements("org.javarosa.core.services.IPropertyManager", deferred=True)
class Properties:
    """The phone's own properties (deviceid, username and the like): a fixed text for each."""

    @jpype.JOverride
    def getSingularProperty(self, name: Any) -> str:
        return f"test-{name}"

    @jpype.JOverride
    def getProperty(self, name: Any) -> None:
        return None

    @jpype.JOverride
    def setProperty(self, name: Any, value: Any) -> None:
        return None

    @jpype.JOverride
    def addRules(self, rules: Any) -> None:
        return None

    @jpype.JOverride
    def getRules(self) -> None:
        return None


@jpype.JImplements("org.javarosa.core.reference.Reference", deferred=True)
class File:
    """A media file of the form on this machine's disk."""

    def __init__(self, uri: str, path: Path) -> None:
        self._uri, self._path = uri, path

    @jpype.JOverride
    def doesBinaryExist(self) -> bool:
        return self._path.exists()

    @jpype.JOverride
    def getStream(self) -> Any:
        return jpype.JClass("java.io.FileInputStream")(str(self._path))

    @jpype.JOverride
    def getURI(self) -> str:
        return self._uri

    @jpype.JOverride
    def getLocalURI(self) -> str:
        return str(self._path)

    @jpype.JOverride
    def isReadOnly(self) -> bool:
        return True

    @jpype.JOverride
    def getOutputStream(self) -> None:
        return None

    @jpype.JOverride
    def remove(self) -> None:
        return None

    @jpype.JOverride
    def probeAlternativeReferences(self) -> Any:
        return jpype.JClass("org.javarosa.core.reference.Reference")[0]


@jpype.JImplements("org.javarosa.core.reference.ReferenceFactory", deferred=True)
class Folder:
    """Resolves `jr://file/…`, `jr://file-csv/…` and the others into one folder, as Collect does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @jpype.JOverride
    def derives(self, uri: Any) -> bool:
        return str(uri).startswith("jr://")

    @jpype.JOverride
    def derive(self, uri: Any, context: Any = None) -> Any:
        return File(str(uri), self._folder / str(uri).rpartition("/")[2])


@jpype.JImplements("org.javarosa.core.model.condition.IFunctionHandler", deferred=True)
class Function:
    """An XPath function without arguments."""

    def __init__(self, name: str, value: Callable[[], Any]) -> None:
        self._name, self._value = name, value

    @jpype.JOverride
    def getName(self) -> str:
        return self._name

    @jpype.JOverride
    def getPrototypes(self) -> Any:
        prototypes = jpype.JClass("java.util.ArrayList")()
        prototypes.add(jpype.JClass("java.lang.Class")[0])
        return prototypes

    @jpype.JOverride
    def rawArgs(self) -> bool:
        return False

    @jpype.JOverride
    def realTime(self) -> bool:
        return False

    @jpype.JOverride
    def eval(self, arguments: Any, context: Any) -> Any:
        return self._value()


@jpype.JImplements("org.javarosa.core.model.utils.IPreloadHandler", deferred=True)
class Preload:
    """Fills what the form asks of the phone: `start`, `end`, `today`, the instanceID."""

    def __init__(self, name: str, value: Callable[[str], Any], *, at_end: bool = False) -> None:
        self._name, self._value, self._at_end = name, value, at_end

    @jpype.JOverride
    def preloadHandled(self) -> str:
        return self._name

    @jpype.JOverride
    def handlePreload(self, parameters: Any) -> Any:
        return None if str(parameters) == "end" else self._value(str(parameters))

    @jpype.JOverride
    def handlePostProcess(self, node: Any, parameters: Any) -> bool:
        if self._at_end and str(parameters) == "end":
            node.setAnswer(self._value("end"))
            return True
        return False
