#!/usr/bin/env bash
# Hands the inputs to `nootropic-bot respond`, which decides everything else; the plan stays in the environment.
set -euo pipefail

case "$STEP" in
  authorise) exec "$BOT" respond authorise ;;
  act)
    # An analysis that failed leaves no report: the command says so in its answer.
    if [ -n "$REPORT" ] && [ -f "$REPORT" ]; then exec "$BOT" respond act --report "$REPORT"; fi
    exec "$BOT" respond act
    ;;
  *)
    echo "::error::\`step\` must be authorise or act" >&2
    exit 2
    ;;
esac
