"""The prompts of one query's windows, as a family writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import as_file, files

from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.errors import EngineError, UsageError
from rearank_cli.families import Family, load_family
from rearank_cli.families.lists import ListReader
from rearank_cli.records import Passage, Prompt


def training_family(
    name: str, form: str, settings: Mapping[str, str] | None = None, dataset: str | None = None
) -> Family:
    """A listwise family; with `form` training as its models were trained, where that is known to differ.

    Raises UsageError for a family whose answers are no lists.
    """
    trained = files("rearank_cli.training").joinpath("forms", f"{name}.toml")
    if form == "training" and trained.is_file():
        with as_file(trained) as path:
            return load_family(path, settings, dataset)
    family = load_family(name, settings, dataset)
    check_listwise(family)
    return family


def check_listwise(family: Family) -> None:
    """Raise UsageError for a family whose answers are no lists."""
    if not isinstance(family.reader, ListReader):
        raise UsageError(
            f"the family {family.name} does not answer with lists, which these rewards and data are about; "
            "take a listwise one (rearank families lists them)"
        )


def find_tokenizer(family: Family, name: str | None) -> Tokenizer | None:
    """The tokenizer that a family needs for its cuts, or that was named.

    Raises UsageError where one is needed and none named, EngineError where it cannot be loaded.
    """
    if name is None:
        if "tokens" in (family.passage_text.steps.cut.unit, family.query_text.cut.unit):
            raise UsageError(
                f"the family {family.name} cuts passages by a model's tokens: name the model with "
                "--tokenizer, or cut by words with --set cut='300 words'"
            )
        return None
    from rearank_cli.engines.tokenizer import load_tokenizer

    try:
        return load_tokenizer(name)
    except ImportError:
        raise EngineError(
            "--tokenizer is loaded with transformers, which is not installed: pip install transformers"
        ) from None


class Prompter:
    """Writes the prompts of one query's windows; its texts are cleaned and cut once.

    With a tokenizer, control tokens in texts are broken as `rearank rerank` breaks them.
    """

    def __init__(
        self, family: Family, query: str, passages: Mapping[str, Passage], tokenizer: Tokenizer | None = None
    ) -> None:
        self._family = family
        self._tokenizer = tokenizer
        self._passages = passages
        self._prepared: dict[str, Passage] = {}
        self._query = self._plain(family.prepare_query(query, tokenizer.cut if tokenizer else None))

    def prompt(self, doc_ids: Sequence[str]) -> Prompt:
        """The prompt that shows these documents in this order."""
        return self._family.compose(self._query, [self._prepare(doc_id) for doc_id in doc_ids])

    def _prepare(self, doc_id: str) -> Passage:
        if doc_id not in self._prepared:
            prepared = self._family.prepare(
                self._passages[doc_id], self._tokenizer.cut if self._tokenizer else None
            )
            self._prepared[doc_id] = replace(prepared, text=self._plain(prepared.text))
        return self._prepared[doc_id]

    def _plain(self, text: str) -> str:
        return self._tokenizer.neutralise(text) if self._tokenizer else text
