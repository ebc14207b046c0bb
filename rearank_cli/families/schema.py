"""Family files: TOML that is checked when it is read."""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rearank_cli.errors import InputError, UsageError
from rearank_cli.families.family import Defaults, Family, Model
from rearank_cli.families.lists import ListReader
from rearank_cli.families.passages import Cut, PassageText
from rearank_cli.families.templates import MessageTemplate, PromptTemplate, Template
from rearank_cli.records import Passage, Sampling

Count = Annotated[int, Field(ge=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Model(_Table):
    base: str | None = None


class _Defaults(_Table):
    method: str
    window: Count
    step: Count
    depth: Count = 100


class _Sampling(_Table):
    temperature: Annotated[float, Field(ge=0)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_tokens: Count
    stop: tuple[str, ...] = Field(default=(), strict=False)


class _Passage(_Table):
    with_title: str = "{title} {text}"
    collapse_whitespace: bool = False
    remove: list[str] = []


class _Answer(_Table):
    reader: Literal["list"]
    thought: bool = False
    tags: bool = False


class _Message(_Table):
    role: Literal["system", "user", "assistant"]
    content: str
    for_each: Literal["passage"] | None = None


class _FamilyFile(_Table):
    name: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
    title: str = ""
    paper: str = ""
    source: str = ""
    ours: list[str] = []
    models: dict[str, _Model] = {}
    defaults: _Defaults
    sampling: _Sampling
    settings: dict[str, str] = {}
    passage: _Passage = _Passage()
    answer: _Answer
    messages: list[_Message] = []
    text: str | None = None
    append: str = ""

    @model_validator(mode="after")
    def _one_kind_of_prompt(self) -> "_FamilyFile":
        if bool(self.messages) == bool(self.text):
            raise ValueError("give either [[messages]] or a raw prompt in 'text'")
        return self


def read_family(path: Path, content: str, changed: Mapping[str, str]) -> Family:
    """The family in a file's content, with the settings a user changed.

    Raises InputError where the file is malformed, UsageError where a setting is not the family's.
    """
    try:
        file = _FamilyFile.model_validate(tomllib.loads(content))
    except ValidationError as error:
        raise InputError(f"{path}: {_in_words(error)}") from None
    except (ValueError, RecursionError) as error:  # TOML's own error is a ValueError, and not the only one
        raise InputError(f"{path}: not TOML: {error}") from None
    settings = _settings(file, changed)
    try:
        published = Cut.parse(file.settings.get("cut", "none"))
    except ValueError as error:
        raise InputError(f"{path}: settings.cut: {error}") from None
    try:
        cut = Cut.parse(settings.get("cut", "none"), published.unit)
    except ValueError as error:
        raise UsageError(f"family {file.name}, setting cut: {error}") from None
    try:
        template = PromptTemplate(
            messages=tuple(
                MessageTemplate(message.role, Template(message.content), message.for_each is not None)
                for message in file.messages
            ),
            text=Template(file.text) if file.text else None,
            append=file.append,
        )
        _try_out(template, settings)
    except Exception as error:  # noqa: BLE001  # whatever Jinja finds wrong with a user's template
        raise InputError(f"{path}: a template in it is malformed: {error}") from None
    return Family(
        name=file.name,
        title=file.title,
        paper=file.paper,
        source=file.source,
        ours=tuple(file.ours),
        models=tuple(Model(name, model.base) for name, model in file.models.items()),
        defaults=Defaults(**file.defaults.model_dump()),
        sampling=Sampling(**file.sampling.model_dump()),
        settings=settings,
        passage_text=PassageText(
            file.passage.with_title, file.passage.collapse_whitespace, tuple(file.passage.remove), cut
        ),
        template=template,
        reader=ListReader(thought=file.answer.thought, tags=file.answer.tags),
        digest=_digest(file, settings),
    )


def _try_out(template: PromptTemplate, settings: Mapping[str, str]) -> None:
    """Render a prompt, so that an unknown variable is found now and not when the model is loaded."""
    prompt = template.render(
        "query", [Passage("d1", "text", score=1.0), Passage("d2", "text", score=0.5)], settings
    )
    spans = [*prompt.raw, *(span for turn in prompt.turns for span in turn.spans)]
    if any("\x00" in span.text for span in spans):
        # What such a block holds was rendered already: its texts from outside can no longer be told apart.
        raise ValueError(
            "{% set %} blocks and macros cannot hold variables; write the variables where they go"
        )


def _settings(file: _FamilyFile, changed: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(changed) - set(file.settings))
    if unknown:
        known = ", ".join(sorted(file.settings)) or "none"
        raise UsageError(f"family {file.name} has no setting {', '.join(unknown)}; it has: {known}")
    return {**file.settings, **changed}


def _digest(file: _FamilyFile, settings: Mapping[str, str]) -> str:
    """What calls have in common: everything that reaches the model or decides how it is read."""
    described = {"title", "paper", "source", "ours", "models", "defaults", "sampling", "settings"}
    asked = file.model_dump(mode="json", exclude=described) | {"settings": dict(settings)}
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _in_words(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'the file'}: "
        f"{problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
    )
