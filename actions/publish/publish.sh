#!/usr/bin/env bash
# Hands the inputs to `nootropic-bot publish`, which decides everything else.
set -euo pipefail

options=()
if [ -n "$REPORT" ]; then options+=("$REPORT"); fi
if [ -n "$PULL_REQUEST" ]; then options+=(--pull-request "$PULL_REQUEST"); fi
if [ -n "$SARIF" ]; then options+=(--sarif "$SARIF"); fi
if [ -n "$RECORDS" ]; then options+=(--records "$RECORDS"); fi
if [ "$RECORD" != "true" ]; then options+=(--no-record); fi
exec "$BOT" publish ${options[@]+"${options[@]}"}
