"""Models and adapters, found before anything large is imported: their configuration and tokenizer."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rearank_cli.engines.installation import INSTEAD
from rearank_cli.engines.logfile import last_line, own_log
from rearank_cli.engines.tokenizer import Tokenizer, load_tokenizer
from rearank_cli.errors import EngineError

log = logging.getLogger("rearank")

# The ranks that vLLM makes room for.
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


@dataclass(frozen=True)
class Needs:
    """What a family's requests ask of an engine beyond a chat.

    `raw` prompts are no chat; `prefill` is text after the rendered chat; `logprobs` are those of so many
    tokens; `thinking_switch` is one of the chat template; `forced_finish` is a prompt that goes on with
    an answer so far, held to a regular expression.
    """

    raw: bool = False
    prefill: bool = False
    logprobs: int | None = None
    thinking_switch: bool = False
    forced_finish: bool = False


@dataclass(frozen=True)
class Wanted:
    """A model as an engine is to serve it.

    `adapter` is a LoRA adapter's folder or name; `draws` says that answers are drawn at random.
    `engine_args` are vLLM engine arguments as a user writes them, `family_args` those that the
    model's family needs; a user's win. `base_url` is that of a server, `timeout` a request's, in seconds.
    """

    model: str
    revision: str | None = None
    adapter: str | None = None
    adapter_revision: str | None = None
    draws: bool = False
    engine_args: Mapping[str, str] = field(default_factory=dict)
    family_args: Mapping[str, str] = field(default_factory=dict)
    needs: Needs = Needs()
    base_url: str | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter, in a folder of this machine; `rank` is the room that vLLM must make for it."""

    name: str
    path: Path
    rank: int


def check_model(model: str, revision: str | None) -> None:
    """Find the configuration of a model. Raises EngineError where there is none."""
    from huggingface_hub import hf_hub_download

    folder = Path(model)
    if folder.exists():
        if (folder / "config.json").is_file():
            return
        if (folder / "adapter_config.json").is_file():
            raise EngineError(f"{model} is an adapter: give its base model with -m, and it with --adapter")
        raise EngineError(f"the model folder {model} has no config.json in it")
    _hush_hub()
    try:
        hf_hub_download(model, "config.json", revision=revision)
    except Exception as error:
        raise EngineError(
            f"the model {model} is neither a folder nor in the Hugging Face cache of this machine, "
            f"and cannot be downloaded ({type(error).__name__}). {INSTEAD}"
        ) from error


def _hush_hub() -> None:
    """Hear nothing of each time it tries a download again; what it raises in the end is told."""
    if not log.isEnabledFor(logging.DEBUG):
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def find_adapter(name: str, revision: str | None = None) -> Adapter:
    """The adapter in a folder, or of that name on Hugging Face. Raises EngineError.

    A wrong path must be found here: it would end the engine, and not the request.
    """
    from huggingface_hub import snapshot_download

    path = Path(name)
    if not path.is_dir():
        _hush_hub()
        try:
            path = Path(snapshot_download(name, revision=revision, allow_patterns=["adapter_*"]))
        except Exception as error:
            raise EngineError(
                f"the adapter {name} is neither a folder nor in the Hugging Face cache of this machine, "
                f"and cannot be downloaded ({type(error).__name__})"
            ) from error
    try:
        config = json.loads((path / "adapter_config.json").read_text(encoding="utf-8"))
        if config.get("use_dora") or config.get("bias", "none") != "none":
            raise EngineError(f"the adapter {name} has DoRA or biases, which vLLM does not take")
        rank = max([int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values())])
    except OSError:
        raise EngineError(f"the adapter folder {name} has no adapter_config.json in it") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(
            f"{name}/adapter_config.json is no configuration of a LoRA adapter: {error}"
        ) from None
    if not any((path / f"adapter_model.{kind}").is_file() for kind in ("safetensors", "bin", "pt")):
        raise EngineError(f"the adapter folder {name} has no weights (adapter_model.safetensors) in it")
    room = next((room for room in _RANKS if rank <= room), None)
    if room is None:
        raise EngineError(f"the adapter {name} has rank {rank}, and vLLM takes up to {_RANKS[-1]}")
    return Adapter(name, path, room)


def adapter_of(wanted: Wanted) -> Adapter | None:
    """The adapter that is wanted; None where none is. Raises EngineError."""
    return find_adapter(wanted.adapter, wanted.adapter_revision) if wanted.adapter else None


def load_card(wanted: Wanted) -> tuple[Tokenizer, int | None]:
    """A model's tokenizer, and its context unless the engine arguments say another."""
    check_model(wanted.model, wanted.revision)
    given = {key.replace("-", "_"): value for key, value in wanted.engine_args.items()}
    trusted = given.get("trust_remote_code", "").lower() == "true"
    with own_log() as log_file:
        tokenizer = load_tokenizer(
            given.get("tokenizer", wanted.model), wanted.revision, trust_remote_code=trusted
        )
        context = context_of(wanted, trust_remote_code=trusted)
    if log_file:
        log_file.unlink(missing_ok=True)
    return tokenizer, int(given["max_model_len"]) if "max_model_len" in given else context


def context_of(wanted: Wanted, *, trust_remote_code: bool) -> int | None:
    """The context that the family's models were run with, or the model's own where that is shorter."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(
            wanted.model, revision=wanted.revision, trust_remote_code=trust_remote_code
        )
    except Exception as error:
        raise EngineError(
            f"the configuration of {wanted.model} cannot be read: {last_line(error)}"
        ) from error
    published = wanted.family_args.get("max_model_len")
    lengths = [getattr(config, "max_position_embeddings", None), published]
    return min((int(length) for length in lengths if length), default=None)
