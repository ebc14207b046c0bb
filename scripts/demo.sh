#!/usr/bin/env bash
# The whole path in a minute, with neither GPU nor model: makes an environment and a small collection,
# reranks its run with the lexical judge, and shows the measures and the reasons.
#   scripts/demo.sh [FOLDER]         the collection goes to FOLDER (default: a temporary one)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh

make_environment .venv-demo ""
export PATH="$PWD/.venv-demo/bin:$PATH"
folder=${1:-$(mktemp -d)/bees}

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show rearank example "$folder"
cd "$folder"
show rearank rerank run.trec
show rearank evaluate run.trec run.rearank.trec -m ndcg@10 --compare student
show rearank trace run.rearank.jsonl --query q4 --doc bee-021
show rearank report run.rearank.jsonl
printf '\n$ rearank retrieve | rearank rerank - | rearank evaluate -\n'
rearank retrieve | rearank rerank - | rearank evaluate -
printf '\n$ tail -n 1 run.rearank.jsonl      # one call, as its trace has it, a key a line\n'
tail -n 1 run.rearank.jsonl | python -c '
import json, sys
for key, value in json.load(sys.stdin).items():
    print(f"{key:18}", value if key in ("reasoning", "response") else json.dumps(value))
'
