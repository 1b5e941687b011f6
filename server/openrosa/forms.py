"""The forms that a phone is offered, as OpenRosa lists them, and the lists that each of them needs.

Source: OpenRosa Form Discovery API 1.0, Form Manifest API 1.0; ODK's additions `type="entityList"`, `integrityUrl`.
"""

import re
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

from forms.form import Form
from server.openrosa.document import Document
from server.world import Nest

FILES = ("visits", "wards", "hamlets")  # lists that are no entities
_NEEDED = re.compile(r"jr://file(?:-csv)?/([\w.-]+)\.csv")
_documents: dict[str, Document] = {}  # by digest: as many as there are versions
_needed: dict[str, tuple[str, ...]] = {}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def offered(nest: Nest, officer: bool) -> list[Form]:
    """The forms of whoever reads what they are about; one for officers is not told to others."""
    return [form for form in nest.catalogue.offered() if officer or not form.officers]


def document_of(form: Form) -> Document:
    """The form's own bytes, as they were published."""
    if form.sha256 not in _documents:
        _documents[form.sha256] = Document(form.xml.encode())
    return _documents[form.sha256]


def lists_of(nest: Nest, form: Form) -> list[str]:
    """The names of the lists that a form asks for, in the order in which it does."""
    if form.sha256 not in _needed:
        _needed[form.sha256] = tuple(dict.fromkeys(_NEEDED.findall(form.xml)))
    return [name for name in _needed[form.sha256] if name in FILES or name in nest.catalogue.types]


def form_list(forms: Iterable[Form], nest: Nest, base: str) -> Document:
    """The list of forms; `base` is the address of this phone's door."""
    items = "".join(_item(form, nest, base) for form in forms)
    return Document(f'{_HEAD}<xforms xmlns="http://openrosa.org/xforms/xformsList">{items}</xforms>'.encode())


def manifest(names: Iterable[str], documents: Mapping[str, Document], base: str) -> Document:
    """The lists of a form with their digests. An entity list also says where deletions are asked about."""
    items = "".join(_file(name, documents[name], base) for name in names)
    return Document(f'{_HEAD}<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{items}</manifest>'.encode())


def integrity(deleted: Mapping[str, bool]) -> Document:
    """Which entities a phone must drop."""
    items = "".join(
        f"<entity id={quoteattr(ident)}><deleted>{str(gone).lower()}</deleted></entity>"
        for ident, gone in deleted.items()
    )
    return Document(f"{_HEAD}<data><entities>{items}</entities></data>".encode())


def _item(form: Form, nest: Nest, base: str) -> str:
    where = f"{base}/forms/{form.id}/{form.version}"
    lists = f"<manifestUrl>{escape(where)}/manifest</manifestUrl>" if lists_of(nest, form) else ""
    return (
        f"<xform><formID>{escape(form.id)}</formID><name>{escape(form.title)}</name>"
        f"<version>{escape(form.version)}</version><hash>md5:{document_of(form).md5}</hash>"
        f"<downloadUrl>{escape(where)}/form.xml</downloadUrl>{lists}</xform>"
    )


def _file(name: str, document: Document, base: str) -> str:
    kind, where = ("", "") if name in FILES else (' type="entityList"', f"{base}/lists/{name}/integrity")
    asked = f"<integrityUrl>{escape(where)}</integrityUrl>" if where else ""
    return (
        f"<mediaFile{kind}><filename>{name}.csv</filename><hash>md5:{document.md5}</hash>"
        f"<downloadUrl>{escape(base)}/lists/{name}.csv</downloadUrl>{asked}</mediaFile>"
    )
