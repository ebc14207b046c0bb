"""What tests share: the real data beside the checkout, and a tiny model made on the spot."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"

# ir_datasets reads this once, when it is imported: it must be set before any test imports it.
_IRDS_HOME = Path(tempfile.mkdtemp(prefix="rearank-irds-"))
os.environ["IR_DATASETS_HOME"] = str(_IRDS_HOME)
os.environ["IR_DATASETS_SKIP_DISK_FREE"] = "true"
# Without a network each try only costs time.
os.environ["IR_DATASETS_DL_TRIES"] = "1"
# No test may wait for a network that is not there, or use one that is.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
if (_SHARED / "data" / "ir_datasets").is_dir():
    shutil.copytree(_SHARED / "data" / "ir_datasets", _IRDS_HOME, dirs_exist_ok=True)
    for path in [_IRDS_HOME, *_IRDS_HOME.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


def pytest_unconfigure() -> None:
    shutil.rmtree(_IRDS_HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def _messages_as_a_library_sends_them() -> None:
    """Whatever a test before has set up as the command does."""
    log = logging.getLogger("rearank")
    log.handlers, log.propagate = [], True
    log.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def irds_home() -> Path:
    """A writable copy of the collections in shared/, already in the environment."""
    if not (_SHARED / "data" / "ir_datasets").is_dir():
        pytest.skip("the shared data is not beside this checkout")
    return _IRDS_HOME


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts, conformance cases and real data beside the checkout."""
    if not _SHARED.is_dir():
        pytest.skip("the shared folder is not beside this checkout")
    return _SHARED


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 model of two layers with random weights, and a tokenizer with a Qwen-style chat template."""
    pytest.importorskip("vllm", reason="vLLM is not installed")
    from tests.tiny_model import make_tiny_model

    return make_tiny_model(tmp_path_factory.mktemp("tiny-qwen2"))
