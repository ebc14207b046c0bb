"""vLLM in this process: one engine that keeps every call in flight in one batch."""

import asyncio
import gc
import itertools
import json
import logging
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from rearank_cli.engines.background import in_background
from rearank_cli.engines.installation import check_device, check_installed, installed_version, on_cpu
from rearank_cli.engines.logfile import last_line, own_log, see
from rearank_cli.engines.models import Adapter, Wanted, check_model, context_of
from rearank_cli.engines.processes import end_marked
from rearank_cli.engines.tokenizer import Tokenizer, load_tokenizer
from rearank_cli.engines.watched import Place, tokens_of
from rearank_cli.errors import EngineError, RearankError, UsageError
from rearank_cli.records import Completion, Prompt, Sampling, Token
from rearank_cli.words import did_you_mean

log = logging.getLogger("rearank")


class VllmEngine:
    """Answers prompts with a model that vLLM loaded. Lives in the event loop that started it."""

    name = "vllm"

    def __init__(
        self,
        engine: Any,
        tokenizer: Tokenizer,
        log_file: Path | None = None,
        adapter: Adapter | None = None,
        mark: str | None = None,
    ) -> None:
        self._engine = engine
        self._mark = mark
        self._adapter = _lora_request(adapter) if adapter else None
        self._log_file = log_file
        self._request_ids = itertools.count()
        self.tokenizer = tokenizer
        config = engine.vllm_config
        self.context: int = config.model_config.max_model_len
        self.capacity: int = config.scheduler_config.max_num_seqs * config.parallel_config.data_parallel_size

    @classmethod
    async def start(
        cls, wanted: Wanted, adapter: Adapter | None = None, mark: str | None = None
    ) -> "VllmEngine":
        """Load a model, and an adapter onto it. The mark is that of the processes that are started now.

        Raises EngineError where vLLM is not installed, has no device, or cannot start this model;
        UsageError for an argument that vLLM does not have.
        """
        check_installed()
        check_model(wanted.model, wanted.revision)
        given_up = partial(end_marked, mark) if mark else None
        with own_log() as log_file:
            try:
                # In a thread, so that a signal is heard while a model loads for minutes.
                engine, tokenizer = await in_background(lambda: _load(wanted, adapter), given_up=given_up)
            except RearankError:
                raise
            except Exception as error:
                raise EngineError(
                    f"vLLM could not start {wanted.model}: {last_line(error)}{see(log_file)}"
                ) from error
        if not log.isEnabledFor(logging.DEBUG):
            # What it says of its own end comes too late to be of use; its processes write to the file.
            logging.getLogger("vllm").setLevel(logging.CRITICAL)
        return cls(engine, tokenizer, log_file, adapter, mark)

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
                self._sampling_params(sampling),
                request_id=str(next(self._request_ids)),
                lora_request=self._adapter,
            ):
                final = output
        except Exception as error:
            if self._engine.errored:
                raise EngineError(f"vLLM died: {last_line(error)}{see(self._log_file)}") from error
            log.debug("a request was refused", exc_info=True)
            return Completion("", finish_reason="error", error=last_line(error))
        if final is None:
            return Completion("", finish_reason="abort", error="the engine ended without an answer")
        answer = final.outputs[0]
        return Completion(
            self.tokenizer.without_end(answer.text),
            finish_reason=answer.finish_reason or "abort",
            prompt_tokens=len(final.prompt_token_ids or ()),
            completion_tokens=len(answer.token_ids),
            cached_tokens=final.num_cached_tokens or 0,
            tokens=self._tokens(answer, sampling),
        )

    def _tokens(self, answer: Any, sampling: Sampling) -> tuple[Token, ...]:
        """The tokens of an answer less the one that ended it, and what was asked to be known of each."""
        if not answer.logprobs:
            return ()
        drawn_ids = list(answer.token_ids)
        # The one that ended the answer is no part of its text; where it is all there is, it tells as much.
        while len(drawn_ids) > 1 and self.tokenizer.ends(drawn_ids[-1]):
            drawn_ids.pop()
        places = (
            Place(
                likeliest[number].decoded_token or "",
                likeliest[number].logprob,
                {token: entry.logprob for token, entry in likeliest.items()},
            )
            for number, likeliest in zip(drawn_ids, answer.logprobs, strict=False)
        )
        return tokens_of(places, {text: self.tokenizer.ids_of(text) for text in sampling.watch})

    def _sampling_params(self, sampling: Sampling) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        structured = None
        if sampling.choice:
            structured = StructuredOutputsParams(choice=list(sampling.choice))
        elif sampling.pattern:
            structured = StructuredOutputsParams(regex=sampling.pattern)
        watched = [token for text in sampling.watch for token in self.tokenizer.ids_of(text)]
        return SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            max_tokens=sampling.max_tokens,
            stop=list(sampling.stop),
            include_stop_str_in_output=bool(sampling.stop),
            # Some models declare the marks around thought special.
            skip_special_tokens=False,
            seed=sampling.seed,
            structured_outputs=structured,
            logprobs=sampling.logprobs,
            allowed_token_ids=watched if sampling.only_watched else None,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    async def close(self) -> None:
        """End the engine and its processes. No call may be in flight: it would wait for ever."""
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        """The same, from any thread, and where no event loop runs any more."""
        engine, self._engine = self._engine, None
        if engine is None:
            return
        # Then its log has been named to someone who will want to read it.
        died = engine.errored
        engine.shutdown()
        # Not later: when the interpreter is half gone, the engine's own finaliser fails, and says so.
        del engine
        gc.collect()
        if self._mark:
            end_marked(self._mark)
        if self._log_file and not died:
            self._log_file.unlink(missing_ok=True)


def _load(wanted: Wanted, adapter: Adapter | None) -> tuple[Any, Tokenizer]:
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    check_device()
    known = [field.name for field in fields(AsyncEngineArgs)]
    given = _read_arguments("--engine-arg", wanted.engine_args, known)
    chosen: dict[str, Any] = {
        "model": wanted.model,
        "revision": wanted.revision,
        "disable_log_stats": True,
        **_read_arguments("the family's [engine]", wanted.family_args, known),
        **given,
    }
    if wanted.draws and on_cpu():
        # A seeded request whose prompt is taken in pieces ends the CPU build of vLLM (0.32): after each
        # piece it turns back its random generator, and a CPU's cannot be turned back.
        chosen = {"enable_chunked_prefill": False, **chosen}
    if adapter:
        chosen = {"enable_lora": True, "max_loras": 1, "max_lora_rank": adapter.rank, **chosen}
    trusted = bool(chosen.get("trust_remote_code", False))
    if "max_model_len" in wanted.family_args and "max_model_len" not in given:
        chosen["max_model_len"] = context_of(wanted, trust_remote_code=trusted)
    tokenizer = load_tokenizer(
        str(chosen.get("tokenizer") or wanted.model), wanted.revision, trust_remote_code=trusted
    )
    return AsyncLLM.from_engine_args(AsyncEngineArgs(**chosen)), tokenizer


def _lora_request(adapter: Adapter) -> Any:
    from vllm.lora.request import LoRARequest

    return LoRARequest(adapter.name, 1, str(adapter.path))


def _read_arguments(source: str, given: Mapping[str, str], known: list[str]) -> dict[str, object]:
    """The values of engine arguments, as text: JSON where it is JSON, text where it is not."""
    arguments: dict[str, object] = {}
    for key, value in given.items():
        name = key.replace("-", "_")
        if name not in known:
            guess = did_you_mean(name, known)
            hint = f"; {guess}" if guess else ""
            raise UsageError(f"{source} {key}: vLLM has no such engine argument{hint}")
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = {"True": True, "False": False, "None": None}.get(value, value)
    return arguments
