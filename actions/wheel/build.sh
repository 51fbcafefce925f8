#!/usr/bin/env bash
# Builds the pinned llama-cpp-python for any processor of this kind: the runner that will use it may be an older one than
# the runner that compiles, so nothing is tuned to the machine at hand.
set -euo pipefail

environment="$RUNNER_TEMP/nootropic-wheel"
python -I -m venv "$environment"
pip=("$environment/bin/python" -I -m pip --disable-pip-version-check)
"${pip[@]}" install --quiet --require-hashes --only-binary :all: --requirement "$GITHUB_ACTION_PATH/build-requirements.txt"
mkdir -p "$WHEELS"
export CMAKE_ARGS="-DGGML_NATIVE=OFF" PATH="$environment/bin:$PATH"
"${pip[@]}" wheel --no-cache-dir --no-deps --no-build-isolation --no-binary llama-cpp-python --require-hashes \
  --wheel-dir "$WHEELS" --requirement "$GITHUB_ACTION_PATH/requirements.txt"
