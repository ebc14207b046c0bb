"""Why files of a dataset cannot be had, in a sentence."""

import re
from typing import Any
from urllib.parse import urlsplit

from rearank_cli.corpus.library import ir_datasets
from rearank_cli.errors import InputError


def unavailable(dataset: str, what: str, error: Exception) -> InputError:
    """The error for what ir_datasets raised while it fetched `what`: documents, queries, judgments."""
    why, remedy = _explain(dataset, error)
    return InputError(f"{dataset}: its {what} cannot be had: {why}; {remedy}")


def _explain(dataset: str, error: Any) -> tuple[str, str]:
    """Why, and what to do about it."""
    library = ir_datasets()
    home = library.util.home_path()
    instructions = f"see https://ir-datasets.com/{dataset.partition('/')[0]}.html"
    first_line = str(error).partition("\n")[0].rstrip(".:")
    match error:
        case RuntimeError(args=("All download sources failed", [*_, (_, last)])):
            return _explain(dataset, last)
        case OSError() if isinstance(error, library.lazy_libs.requests().RequestException):
            return _not_downloaded(error), (
                f"run this once where there is a network, or copy the folder {home} "
                "(IR_DATASETS_HOME) from a machine that has them"
            )
        case ImportError():
            command = re.search(r"pip install \S+\]", str(error))
            return "a package is not installed", command.group() if command else first_line
        case FileNotFoundError():
            path = error.filename or first_line
            return f"{path} does not exist, and is not to be downloaded freely", instructions
        case OSError(errno=int()):
            return (
                f"{error.strerror}: {error.filename or home}",
                "set IR_DATASETS_HOME to a folder that can be written and has room",
            )
        case ValueError() if "disk space" in first_line:
            return first_line, "make room, or set IR_DATASETS_HOME to a folder on a larger disk"
        case _:
            return f"ir_datasets failed ({type(error).__name__}: {first_line})", instructions


def _not_downloaded(error: Any) -> str:
    host = urlsplit(error.request.url).hostname if error.request is not None else "the server"
    if error.response is not None:
        return f"{host} answered {error.response.status_code}"
    return f"{host} cannot be reached"
