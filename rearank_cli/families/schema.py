"""Family files: TOML that is checked when it is read."""

import hashlib
import logging
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rearank_cli.errors import InputError, UsageError
from rearank_cli.families.family import Defaults, Family, Model
from rearank_cli.families.grades import PARTS, GradeReader, IntegerReader
from rearank_cli.families.labels import LabelReader, WorstLabelReader
from rearank_cli.families.letters import LettersReader
from rearank_cli.families.lists import ListReader
from rearank_cli.families.passages import Cut, ForeignText, PassageText
from rearank_cli.families.probabilities import ProbabilityReader
from rearank_cli.families.reader import Reader
from rearank_cli.families.scores import ScoresReader
from rearank_cli.families.templates import MessageTemplate, PromptTemplate, Template
from rearank_cli.records import Passage, Sampling, begun_by

log = logging.getLogger("rearank")

Count = Annotated[int, Field(ge=1)]

# What vLLM gives of each token where it was not started with more.
_MOST_LOGPROBS = 20


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Model(_Table):
    base: str | None = None
    adapter: bool = False

    @model_validator(mode="after")
    def _adapts_something(self) -> "_Model":
        if self.adapter and not self.base:
            raise ValueError("an adapter needs its 'base'")
        return self


class _Defaults(_Table):
    method: str
    window: Count
    step: Count
    depth: Count = 100
    passes: Count | None = None
    top: Count | None = None


class _Sampling(_Table):
    temperature: Annotated[float, Field(ge=0)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_tokens: Count | Literal["answer"]
    stop: tuple[str, ...] = Field(default=(), strict=False)
    logprobs: Count | None = None


class _Text(_Table):
    join_lines: bool = False
    collapse_whitespace: bool = False
    remove: tuple[str, ...] = Field(default=(), strict=False)
    strip: bool = True
    fix_text: bool = False
    identifiers: Literal["numbers", "letters"] | None = None

    def steps(self, cut: Cut, *, fix_prompt: bool, unescape_html: bool) -> ForeignText:
        return ForeignText(
            join_lines=self.join_lines,
            collapse_whitespace=self.collapse_whitespace,
            remove=self.remove,
            strip=self.strip,
            fix_text=self.fix_text,
            cut=cut,
            identifiers=self.identifiers,
            fix_prompt=fix_prompt,
            unescape_html=unescape_html,
        )


class _Passage(_Text):
    with_title: str = "{title} {text}"


class _Answer(_Table):
    thought: bool = False
    tags: bool = False


class _ListAnswer(_Answer):
    reader: Literal["list"]
    separator: Literal[" > ", " "] = " > "
    fancy_digits: bool = False
    ties: bool = False

    def build(self, thought: bool, begun: str, settings: Mapping[str, str]) -> Reader:
        return ListReader(thought, self.tags, begun, self.separator, self.fancy_digits, self.ties)


class _LabelAnswer(_Answer):
    reader: Literal["label"]
    label: Annotated[str, Field(pattern=r"\{number\}")] = "[{number}]"
    worst: bool = False

    def build(self, thought: bool, begun: str, settings: Mapping[str, str]) -> Reader:
        reader = WorstLabelReader if self.worst else LabelReader
        return reader(thought, self.tags, begun, self.label)


class _LettersAnswer(_Table):
    reader: Literal["letters"]

    def build(self, thought: bool, begun: str, settings: Mapping[str, str]) -> Reader:
        return LettersReader()


class _ProbabilityAnswer(_Table):
    reader: Literal["probability"]
    thought: bool = False
    yes: Annotated[str, Field(min_length=1)]
    no: Annotated[str, Field(min_length=1)]

    def build(self, thought: bool, begun: str, settings: Mapping[str, str]) -> Reader:
        return ProbabilityReader(thought, False, begun, self.yes, self.no)


class _IntegerAnswer(_Answer):
    reader: Literal["integer"]

    def build(self, thought: bool, begun: str, settings: Mapping[str, str]) -> Reader:
        return IntegerReader(thought, self.tags, begun)


class _GradeAnswer(_Table):
    reader: Literal["grade"]
    thought: bool = False

    def build(self, thought: bool, begun: str, settings: Mapping[str, str]) -> Reader:
        return GradeReader(thought, False, begun, settings.get("score", "merge"))


class _ScoresAnswer(_Answer):
    reader: Literal["scores"]

    def build(self, thought: bool, begun: str, settings: Mapping[str, str]) -> Reader:
        return ScoresReader(thought, self.tags, begun)


_AnyAnswer = Annotated[
    _ListAnswer
    | _LabelAnswer
    | _LettersAnswer
    | _ProbabilityAnswer
    | _IntegerAnswer
    | _GradeAnswer
    | _ScoresAnswer,
    Field(discriminator="reader"),
]


class _Message(_Table):
    role: Literal["system", "user", "assistant"]
    content: str
    for_each: Literal["passage"] | None = None


class _Collections(_Table):
    datasets: Annotated[list[str], Field(min_length=1)]
    settings: dict[str, str]


class _FamilyFile(_Table):
    name: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
    title: str = ""
    paper: str = ""
    source: str = ""
    ours: list[str] = []
    results: list[str] = []
    models: dict[str, _Model] = {}
    defaults: _Defaults
    sampling: _Sampling
    engine: dict[str, int | float | bool | str] = {}
    settings: dict[str, str] = {}
    allowed: dict[str, list[str]] = {}
    named: dict[str, dict[str, str]] = {}
    collections: list[_Collections] = []
    thinking_switch: str | None = None
    fix_text: bool = False
    query: _Text = _Text(strip=False)
    passage: _Passage = _Passage()
    answer: _AnyAnswer
    messages: list[_Message] = []
    text: str | None = None
    append: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> "_FamilyFile":
        if bool(self.messages) == bool(self.text):
            raise ValueError("give either [[messages]] or a raw prompt in 'text'")
        if self.thinking_switch and "thinking" not in self.settings:
            raise ValueError("'thinking_switch' needs a setting 'thinking', on or off")
        spoken_of = {*self.allowed, *self.named, *(key for each in self.collections for key in each.settings)}
        if unknown := sorted(spoken_of - set(self.settings)):
            raise ValueError(f"there is no setting {', '.join(unknown)} to give values for")
        for key, values in _allowed(self).items():
            if self.settings[key] not in values:
                raise ValueError(f"settings.{key} is one of {', '.join(values)}")
        watches = self.answer.reader in ("letters", "probability", "grade")
        if watches and self.sampling.logprobs is None:
            raise ValueError(f"the reader {self.answer.reader} needs sampling.logprobs")
        if (self.sampling.logprobs or 0) > int(self.engine.get("max_logprobs", _MOST_LOGPROBS)):
            raise ValueError("sampling.logprobs is more than engine.max_logprobs, which is 20 by itself")
        graded = self.answer.reader == "grade" and "score" in self.settings
        if graded and not set(self.allowed.get("score", [""])) <= set(PARTS):
            raise ValueError(f"allowed.score of a grade must be some of {', '.join(PARTS)}")
        return self


def read_family(path: Path, content: str, changed: Mapping[str, str], dataset: str | None = None) -> Family:
    """The family in a file's content, with its authors' settings for a dataset and those a user changed.

    Raises InputError where the file is malformed, UsageError where a setting is not the family's.
    """
    try:
        file = _FamilyFile.model_validate(tomllib.loads(content))
    except ValidationError as error:
        raise InputError(f"{path}: {_in_words(error)}") from None
    except (ValueError, RecursionError) as error:  # TOML's own error is a ValueError, and not the only one
        raise InputError(f"{path}: not TOML: {error}") from None
    settings = _settings(file, changed, dataset)
    cut = _cut(path, file, settings, "cut")
    query_cut = _cut(path, file, settings, "query-cut")
    begun = begun_by(file.append or file.text or "")
    thinking = settings.get("thinking", "on") == "on"
    try:
        template = PromptTemplate(
            messages=tuple(
                MessageTemplate(message.role, Template(message.content), message.for_each is not None)
                for message in file.messages
            ),
            text=Template(file.text) if file.text else None,
            append=file.append,
            chat_args=((file.thinking_switch, thinking),) if file.thinking_switch else (),
            begun=begun,
        )
        _try_out(file.name, template, settings)
    except Exception as error:  # noqa: BLE001  # whatever Jinja finds wrong with a user's template
        raise InputError(f"{path}: a template in it is malformed: {error}") from None
    thought = getattr(file.answer, "thought", False) and thinking
    # ftfy leaves the entities of a text with `<` in it alone, and a chat template has it in its first line.
    mending = {"fix_prompt": file.fix_text, "unescape_html": "<" not in (file.text or "<")}
    sampling = file.sampling.model_dump()
    if file.sampling.max_tokens == "answer":
        sampling["max_tokens"] = None
    return Family(
        name=file.name,
        title=file.title,
        paper=file.paper,
        source=file.source,
        ours=tuple(file.ours),
        results=tuple(file.results),
        models=tuple(Model(name, model.base, model.adapter) for name, model in file.models.items()),
        defaults=Defaults(**file.defaults.model_dump()),
        sampling=Sampling(**sampling),
        engine={key: orjson.dumps(value).decode() for key, value in file.engine.items()},
        settings=settings,
        allowed=_allowed(file),
        named=file.named,
        collections=tuple((each.datasets, each.settings) for each in file.collections),
        for_dataset=_for_dataset(file, dataset),
        query_text=file.query.steps(query_cut, **mending),
        passage_text=PassageText(file.passage.with_title, file.passage.steps(cut, **mending)),
        template=template,
        reader=file.answer.build(thought, begun, settings),
        digest=_digest(file, settings),
    )


def _cut(path: Path, file: _FamilyFile, settings: Mapping[str, str], name: str) -> Cut:
    try:
        published = Cut.parse(file.settings.get(name, "none"))
    except ValueError as error:
        raise InputError(f"{path}: settings.{name}: {error}") from None
    try:
        return Cut.parse(settings.get(name, "none"), published.unit)
    except ValueError as error:
        raise UsageError(f"family {file.name}, setting {name}: {error}") from None


def _try_out(name: str, template: PromptTemplate, settings: Mapping[str, str]) -> None:
    """Render a prompt, so that an unknown variable is found now and not when the model is loaded."""
    query, text = "a query to try it", "a passage to try it"
    passages = [Passage("d1", text, score=1.0), Passage("d2", text, score=0.5)]
    prompt = template.render(query, passages, settings)
    spans = [*prompt.raw, *(span for turn in prompt.turns for span in turn.spans)]
    if any("\x00" in span.text for span in spans):
        # What such a block holds was rendered already: its texts from outside can no longer be told apart.
        raise ValueError(
            "{% set %} blocks and macros cannot hold variables; write the variables where they go"
        )
    shown = "".join(span.text for span in spans if span.foreign)
    for what, probe in (("the query", query), ("the text of any passage", text)):
        if probe not in shown:
            log.warning("family %s, with these settings, never shows the model %s", name, what)


def _settings(file: _FamilyFile, changed: Mapping[str, str], dataset: str | None) -> dict[str, str]:
    """The settings of a run: the user's own, or else the authors' for the dataset, or else the family's."""
    unknown = sorted(set(changed) - set(file.settings))
    if unknown:
        known = ", ".join(sorted(file.settings)) or "none"
        raise UsageError(f"family {file.name} has no setting {', '.join(unknown)}; it has: {known}")
    settings = {**file.settings, **_for_dataset(file, dataset), **changed}
    for key, values in _allowed(file).items():
        if settings[key] not in values:
            raise UsageError(
                f"family {file.name}, setting {key}: it is one of {', '.join(values)}, not {settings[key]!r}"
            )
    return {key: _text(file, key, value) for key, value in settings.items()}


def _text(file: _FamilyFile, key: str, value: str) -> str:
    """The value of a setting: a published text can be called by its name."""
    names = file.named.get(key, {})
    if value in names or not names:
        return names.get(value, value)
    folded = {name.casefold(): name for name in names}
    close = get_close_matches(value.casefold(), folded, 1, cutoff=0.75)
    if close:
        raise UsageError(
            f"family {file.name}, setting {key}: did you mean {folded[close[0]]}, not {value!r}?"
        )
    return value


def _for_dataset(file: _FamilyFile, dataset: str | None) -> dict[str, str]:
    """What its authors set for a dataset; where several patterns have its id, the later one wins."""
    settings: dict[str, str] = {}
    for collections in file.collections:
        if dataset and any(fnmatchcase(dataset, pattern) for pattern in collections.datasets):
            settings |= collections.settings
    return settings


def _allowed(file: _FamilyFile) -> dict[str, list[str]]:
    return file.allowed | ({"thinking": ["on", "off"]} if "thinking" in file.settings else {})


def _digest(file: _FamilyFile, settings: Mapping[str, str]) -> str:
    """What calls have in common: everything that reaches the model or decides how it is read."""
    asked = file.model_dump(
        mode="json",
        include={
            "engine",
            "thinking_switch",
            "fix_text",
            "query",
            "passage",
            "answer",
            "messages",
            "text",
            "append",
            "name",
        },
    )
    asked |= {"settings": dict(settings)}
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _in_words(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'the file'}: "
        f"{_SAID.get(problem['type'], problem['msg'].removeprefix('Value error, '))}"
        for problem in error.errors()
    )


_READERS = "list, label, letters, probability, integer, grade or scores"
_SAID = {
    "extra_forbidden": "there is no such key",
    "missing": "this key is missing",
    "union_tag_not_found": f"the key reader is missing: {_READERS}",
    "union_tag_invalid": f"the reader is not known; it is {_READERS}",
}
