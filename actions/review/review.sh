#!/usr/bin/env bash
# Analyses (or joins the parts of shards) and leaves the report in a folder, also when the analysis did not finish:
# whoever posts it says so. The summary of the job shows it to people at once.
set -euo pipefail

report="$(mktemp -d "$RUNNER_TEMP/nootropic-report-XXXXXX")"
summary="$RUNNER_TEMP/nootropic-summary.md"
outputs=(--output "json=$report/report.json" --output "sarif=$report/report.sarif" --format markdown)
unset GITHUB_TOKEN

code=0
if [ -n "$MERGE" ]; then
  # A shard whose runner was lost left no report; what it leaves out is named in the joined one, which is not complete.
  if ! compgen -G "$MERGE/*/report.json" > /dev/null; then
    echo "::error::No shard left a report, so there is nothing to join: see the logs of their jobs." >&2
    exit 4
  fi
  "$BOT" review merge --fail-on "$FAIL_ON" "${outputs[@]}" "$MERGE"/*/report.json > "$summary" || code=$?
  cat "$MERGE"/*/records.jsonl > "$report/records.jsonl"
else
  options=(--base "$BASE" --head "$HEAD" --fail-on "$FAIL_ON" --output "records=$report/records.jsonl")
  if [ -n "$PULL_REQUEST" ]; then options+=(--pull-request "$PULL_REQUEST"); fi
  if [ -n "$SHARD" ]; then options+=(--shard "$SHARD"); fi
  if [ "$MODEL" != "true" ]; then options+=(--no-model); fi
  "$BOT" review "${options[@]}" "${outputs[@]}" > "$summary" || code=$?
fi

if [ ! -s "$report/report.json" ]; then
  # Usage, environment, a bug: there is nothing to upload, and standard error has said why.
  exit "$((code == 0 ? 70 : code))"
fi
# GitHub shows at most 1 MiB; the whole report is in the artifact.
head -c 1000000 "$summary" >> "$GITHUB_STEP_SUMMARY"
remembered=false
for folder in analyses answers proofs; do
  if [ -d ".git/nootropic/$folder" ]; then remembered=true; fi
done
{
  echo "report=$report"
  echo "exit-code=$code"
  echo "remembered=$remembered"
} >> "$GITHUB_OUTPUT"
