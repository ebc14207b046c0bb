# Sourced by test.sh: puts verl and TRL into an environment that has vLLM, as far as the tests need them.
#   install_trainers FOLDER            for instance: install_trainers .venv-test
#
# They come without what they require (50 MB, a few seconds): most of that is there for vLLM, and what is
# not is named here. verl asks for an older transformers than vLLM has; its loaders, its dataset and its
# reward managers, which are all that tests use of it, work with this one too.

install_trainers() {
    local python=$1/bin/python
    local -a packages=(
        verl==0.9.1 tensordict==0.10.0 pyvers==0.1.0 lazy-importer==0.1.0 importlib_metadata zipp
        hydra-core==1.3.8 omegaconf==2.3.1 antlr4-python3-runtime==4.9.3 codetiming==1.4.0
        trl==1.16.0 accelerate==1.15.0 datasets==5.2.0 multiprocess==0.70.19 dill xxhash
    )
    if [ "$(cat "$1/.trainers" 2>/dev/null)" != "${packages[*]}" ]; then
        "$python" -m pip install -qq --no-deps "${packages[@]}"
        echo "${packages[*]}" >"$1/.trainers"
    fi
}
