#!/usr/bin/env bash
# Builds and runs test projects by name and ends with what failed, once more, and the plain total.
# FLOTTA_TEST_TOTALS: a file that the numbers are appended to; FLOTTA_TEST_FAILURES: one that failures are.
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
passed=0 failed=0 skipped=0
log=$(mktemp) failures=$(mktemp)
trap 'rm -f "$log" "$failures"' EXIT
for project in "$@"; do
  if ! dotnet build "test/$project" -v quiet >"$log" 2>&1; then
    grep -E 'error|warn' "$log" | sort -u | head -n 40
    echo "$project does not build."
    failed=$((failed + 1))
    continue
  fi
  echo "== $project"
  # Long tests announce themselves, so that a stuck run can be told from a slow one.
  "test/$project/bin/Debug/net10.0/$project" -noColor -noLogo -longRunning 60 ${FLOTTA_TEST_ARGUMENTS:-} 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  grep -A 15 -F '[FAIL]' "$log" >>"$failures"
  summary=$(grep -E '^ *(\[[0-9;]*m)?.*Total: [0-9]+, Errors: ' "$log" | tail -n 1)
  number() { sed -nE "s/.*$1: ([0-9]+).*/\1/p" <<<"$summary"; }
  total=$(number Total) errors=$(number Errors) bad=$(number Failed) left=$(number Skipped)
  if [[ -z $total ]]; then
    echo "$project ended without a summary (exit code $status)."
    failed=$((failed + 1))
    continue
  fi
  bad=$((bad + errors))
  ((status == 0 || bad > 0)) || bad=1
  passed=$((passed + total - bad - left)) failed=$((failed + bad)) skipped=$((skipped + left))
done
[[ -n ${FLOTTA_TEST_TOTALS:-} ]] && echo "$passed $failed $skipped" >>"$FLOTTA_TEST_TOTALS"
if [[ -s $failures ]]; then
  printf '== failed\n%s\n' "$(<"$failures")"
  [[ -n ${FLOTTA_TEST_FAILURES:-} ]] && cat "$failures" >>"$FLOTTA_TEST_FAILURES"
fi
if ((skipped)); then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
((failed == 0))
