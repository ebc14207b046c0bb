# Sourced by test.sh: installs what some tests need and pip does not have, where that can be done without
# asking: Chromium, to open the report; LaTeX, to compile a table; zsh and fish, to complete commands.
# Where it cannot, those tests are skipped, and say so.

install_system_packages() {
    local wanted=()
    command -v chromium >/dev/null || command -v google-chrome >/dev/null || wanted+=(chromium)
    kpsewhich booktabs.sty >/dev/null 2>&1 || wanted+=(texlive-latex-recommended)
    command -v zsh >/dev/null || wanted+=(zsh)
    command -v fish >/dev/null || wanted+=(fish)
    [ ${#wanted[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "not installed, and the tests that need them are skipped: ${wanted[*]}" >&2
        return 0
    fi
    echo "installing ${wanted[*]}" >&2
    {
        apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${wanted[@]}"
    } >/dev/null 2>&1 || echo "could not be installed, and the tests that need them are skipped: ${wanted[*]}" >&2
}
