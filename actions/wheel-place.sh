#!/usr/bin/env bash
# Prints, as outputs of a step, where a built llama-cpp-python lies and the key of its cache. Whoever builds it and
# whoever uses it must agree on both: system, processor, Python, and the pinned source.
set -euo pipefail

actions="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
pin="$(python -I -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()[:16])' "$actions/wheel/requirements.txt")"
python="$(python -I -c 'import sys; print("cp{}{}".format(*sys.version_info))')"
echo "path=$HOME/.cache/nootropic-wheels"
echo "key=nootropic-wheel-${ImageOS:-$RUNNER_OS}-$RUNNER_ARCH-$python-$pin"
