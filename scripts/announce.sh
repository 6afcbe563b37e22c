#!/usr/bin/env bash
# Run a command, and say every two seconds that it goes on; show what it printed only if it fails.
#
#   scripts/announce.sh WHAT COMMAND [ARGUMENT ...]
set -u
what=$1
shift
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
"$@" >"$printed" 2>&1 &
command=$!
trap 'kill "$command" 2>/dev/null; exit 130' INT TERM
echo "$what ..."
SECONDS=0 said=0
while kill -0 "$command" 2>/dev/null; do
  sleep 0.1
  if ((SECONDS >= said + 2)); then
    said=$SECONDS
    echo "$what ... $said s"
  fi
done
wait "$command"
status=$?
((status == 0)) || cat "$printed" >&2
exit "$status"
