"""A writable copy of the seeded IR_DATASETS_HOME, set before anything imports ir_datasets."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

if "ir_datasets" not in sys.modules:
    scratch = Path(tempfile.mkdtemp(prefix="rearank-irds-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    if SHARED_DATA.is_dir():
        shutil.copytree(SHARED_DATA / "ir_datasets", scratch / "home")
    os.environ["IR_DATASETS_HOME"] = str(scratch / "home")
    os.environ["IR_DATASETS_SKIP_DISK_FREE"] = "true"
    # Without a network each try only costs time.
    os.environ["IR_DATASETS_DL_TRIES"] = "1"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("there is no shared/data beside the checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def irds_home(shared_data: Path) -> Path:
    return Path(os.environ["IR_DATASETS_HOME"])
