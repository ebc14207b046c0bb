#!/usr/bin/env bash
# All checks and all tests, on a machine that has nothing but Python: makes its own environment,
# real vLLM for the CPU included (3.5 GB, a few minutes the first time), and on Debian, as root, installs
# the programs that some tests open things with (scripts/system_packages.sh).
#   scripts/test.sh                  everything
#   scripts/test.sh -k sliding       what follows goes to pytest
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
. scripts/system_packages.sh
. scripts/trainers.sh

environment=${REARANK_TEST_ENV:-.venv-test}
make_environment "$environment" dev,cpu,openai,ray,pyterrier
install_trainers "$environment"
install_system_packages
export PATH="$PWD/$environment/bin:$PATH"

if [ $# -eq 0 ]; then
    ruff check .
    ruff format --check .
    mypy
    lint-imports
    # One core does not wait for the other; an engine takes all of them.
    # The examples of hypothesis are the same each time here, and others where pytest is called by itself.
    python -m pytest -m "not vllm" --numprocesses auto --dist loadfile --hypothesis-profile ci
    python -m pytest -m vllm --hypothesis-profile ci
else
    python -m pytest "$@"
fi
