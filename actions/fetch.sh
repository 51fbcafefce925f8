#!/usr/bin/env bash
# Brings the two commits that are compared, and what the bot remembers, into the clone, as objects: nothing is checked
# out. The token goes to git through the environment of this one process; it is in no argument, no file and no other step.
set -euo pipefail

for commit in "$BASE" "$HEAD"; do
  if ! [[ "$commit" =~ ^[0-9a-f]{40}([0-9a-f]{24})?$ ]]; then
    echo "::error::base and head must be full commit ids: give \`base\` and \`head\`, or start this from a pull_request event." >&2
    exit 2
  fi
done
if [ -n "${TOKEN:-}" ]; then
  # Behind what the runner may have set in the same way.
  count="${GIT_CONFIG_COUNT:-0}"
  export "GIT_CONFIG_KEY_$count=http.$GITHUB_SERVER_URL/.extraheader"
  export "GIT_CONFIG_VALUE_$count=AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 | tr -d '\n')"
  export GIT_CONFIG_COUNT="$((count + 1))"
fi
fetch=(git -c core.hooksPath=/dev/null -c protocol.ext.allow=never fetch --quiet --no-tags --no-recurse-submodules --no-write-fetch-head --end-of-options origin)
missing=()
for commit in "$BASE" "$HEAD"; do
  git cat-file -e "$commit^{commit}" 2> /dev/null || missing+=("$commit")
done
if [ "${#missing[@]}" -gt 0 ]; then
  "${fetch[@]}" "${missing[@]}"
fi
# Decisions of people (`triage`) mark findings; without them the analysis is still one.
if ! "${fetch[@]}" '+refs/nootropic/bas*:refs/nootropic/remote/bas*' '+refs/nootropic/log/*:refs/nootropic/remote/log/*' ||
  ! "${fetch[@]}" '+refs/heads/nootropic/bas*:refs/nootropic/remote/bas*' '+refs/heads/nootropic/log/*:refs/nootropic/remote/log/*'; then
  echo "::notice::What the bot remembers could not be fetched: findings that were triaged are not marked in this run." >&2
fi
