"""Families of models: by name, by the model they serve, or from a user's own file."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

from rearank_cli.errors import InputError, UsageError
from rearank_cli.families.family import Family, Model
from rearank_cli.families.schema import read_family
from rearank_cli.words import did_you_mean

__all__ = ["Family", "UnlistedError", "family_for", "family_names", "known_model", "load_family"]

_SUFFIX = ".toml"


def family_names() -> list[str]:
    """The families that are built in."""
    return sorted(
        file.name.removesuffix(_SUFFIX) for file in files(__name__).iterdir() if file.name.endswith(_SUFFIX)
    )


def load_family(
    name: str | Path, settings: Mapping[str, str] | None = None, dataset: str | None = None
) -> Family:
    """A family by its name, or by the path of a TOML file; `settings` are those a user changed.

    For a `dataset` (an ir_datasets id) the others are what its authors used there.

    Raises UsageError for a name or setting that is not known, InputError for a malformed file.
    """
    name = str(name)
    if name.endswith(_SUFFIX):
        path = Path(name)
        try:
            content = path.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"the family file {path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise InputError(f"the family file {path} is not UTF-8") from None
    else:
        names = family_names()
        if name not in names:
            hint = did_you_mean(name, names) or f"it is one of {', '.join(names)}, or a {_SUFFIX} file"
            raise UsageError(f"unknown family '{name}'; {hint}")
        path = Path(f"{name}{_SUFFIX}")
        content = _built_in(name)
    return read_family(path, content, settings or {}, dataset)


class UnlistedError(UsageError):
    """No family lists a model."""


def known_model(name: str) -> Model | None:
    """What the family that lists a model says of it; None where none does."""
    family = _listing(name)
    return load_family(family).model(name) if family else None


def _listing(model: str) -> str | None:
    """The family that lists a model."""
    return _listed().get(model)


@cache
def _listed() -> dict[str, str]:
    """Every model that is listed, with its family. Only one of these is needed whole, with its templates."""
    return {
        model: name for name in family_names() for model in tomllib.loads(_built_in(name)).get("models", {})
    }


def _meant(model: str) -> str:
    listed = {known.casefold(): known for known in _listed()}
    # Its name alone, without who published it, is half of the id.
    listed |= {known.rpartition("/")[2]: listed[known] for known in [*listed]}
    close = get_close_matches(model.casefold(), listed, 1, cutoff=0.85)
    return f" (did you mean {listed[close[0]]}?)" if close else ""


def _built_in(name: str) -> str:
    return files(__name__).joinpath(f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def family_for(
    model: str,
    name: str | None = None,
    settings: Mapping[str, str] | None = None,
    dataset: str | None = None,
) -> Family:
    """The family of a model: the one named, or else the one that lists the model's exact id.

    A family is never guessed from a part of a path: the wrong prompt costs points of nDCG, silently.
    Raises UnlistedError where no family lists the model.
    """
    if name := name or _listing(model):
        return load_family(name, settings, dataset)
    raise UnlistedError(
        f"no family lists the model '{model}'{_meant(model)}; say what it was trained to read with --family "
        f"(one of {', '.join(family_names())}, or a {_SUFFIX} file)"
    )
