#!/usr/bin/env bash
# Installs the bot from this checkout of the action, with the packages of a list, into an environment of its own, and
# prints the path of its command. All are pinned by hash; `python -I` imports nothing from the current folder, which a
# pull request may have written. WHEELS: a folder that may hold a built llama-cpp-python; nothing is compiled here.
set -euo pipefail

actions="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
environment="$RUNNER_TEMP/nootropic-bot"
python -I -m venv "$environment"
install=("$environment/bin/python" -I -m pip --disable-pip-version-check install --quiet --no-deps)
"${install[@]}" --require-hashes --only-binary :all: --requirement "$1"
"${install[@]}" --no-build-isolation "$actions/.."
if [ -n "${WHEELS:-}" ]; then
  if compgen -G "$WHEELS/llama_cpp_python-*.whl" > /dev/null; then
    "${install[@]}" --no-index "$WHEELS"/llama_cpp_python-*.whl
  else
    echo "::notice::There is no built wheel of llama-cpp-python yet, so findings get no fixes from the model: run the workflow \"nootropic wheel\" once, or install the program on your own runner (docs/pull-requests.md)." >&2
  fi
fi
echo "$environment/bin/nootropic-bot"
