#!/usr/bin/env bash
# A self-hosted runner starts work only for a private repository and only for commits that lie on one of its own
# branches: whoever may push there may use the runner anyway. A fork's pull request is refused (as is a head that was
# pushed over: the run for the newer one reviews it).
set -euo pipefail

if [ "$RUNNER_ENVIRONMENT" = "github-hosted" ]; then
  exit 0
fi
if [ "$PRIVATE" != "true" ]; then
  echo "::error::This is a self-hosted runner and the repository is not known to be private: nothing was started. Use a GitHub-hosted runner (\`nootropic-bot init --github\`)." >&2
  exit 3
fi
if [ -n "$HEAD_REPOSITORY" ] && [ "$HEAD_REPOSITORY" != "$GITHUB_REPOSITORY" ]; then
  echo "::error::This is a self-hosted runner and the pull request comes from a fork: nothing was started." >&2
  exit 3
fi
if [ -n "$HEAD" ] && [ -z "$(git for-each-ref --count=1 --contains "$HEAD" 'refs/remotes/origin/*' 2> /dev/null || true)" ]; then
  echo "::error::This is a self-hosted runner and the commit lies on no branch of this repository (a fork's pull request, or a branch that was pushed over): nothing was started." >&2
  exit 3
fi
