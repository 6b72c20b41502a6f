# Named steps with progress, time, and what to do on failure. Sourced by run.sh.

heading() { printf '%s\n' "$1"; }
fail() { # what, what to do
  printf 'error: %s; %s\n' "$1" "$2" >&2
  exit 1
}

# step NAME ADVICE COMMAND...: runs the command as a child, shows the seconds from the second one on, and what it said if it failed.
step() {
  local name=$1 advice=$2 started output child seconds shown=0
  shift 2
  started=$(date +%s%N)
  output=$(mktemp)
  "$@" >"$output" 2>&1 8>&- 9>&- &
  child=$!
  step_child=$child
  while kill -0 "$child" 2>/dev/null; do
    sleep 0.1
    seconds=$((($(date +%s%N) - started) / 1000000000))
    if ((seconds >= 2 && seconds > shown)); then
      shown=$seconds
      if [[ -t 1 ]]; then
        printf '\r  %-18s %d s  %.60s\033[K' "$name" "$seconds" "$(tail -n 1 "$output")"
      elif ((seconds % 15 == 2)); then
        printf '  %-18s %d s  %s\n' "$name" "$seconds" "$(tail -n 1 "$output")"
      fi
    fi
  done
  [[ -t 1 ]] && printf '\r\033[K'
  if wait "$child"; then
    printf '  %-18s ok  %d ms\n' "$name" "$((($(date +%s%N) - started) / 1000000))"
    grep -E '^Installing' "$output" | sed 's/^/    /'
    rm -f "$output"
  else
    printf '  %-18s failed\n' "$name" >&2
    sed 's/^/    /' "$output" >&2
    rm -f "$output"
    ((stopping)) && return 1
    fail "$name failed" "$advice."
  fi
}

# What a step started ends with it when the step is cut short.
step_child=
end_tree() { # pid
  local child
  for child in $(ps -o pid= --ppid "$1" 2>/dev/null); do end_tree "$child"; done
  kill "$1" 2>/dev/null
}
cut_step_short() { [[ -n $step_child ]] && kill -0 "$step_child" 2>/dev/null && end_tree "$step_child"; }

# until_true SECONDS PROGRAM CONDITION: waits until the condition holds, no longer than the program lives; shows the program's last lines if not.
until_true() {
  local deadline=$((SECONDS + $1)) program=$2 condition=$3
  until "$condition"; do
    if ! alive "$program" || ((SECONDS >= deadline)); then
      alive "$program" && echo "not within $1 seconds; the last lines of $program:" || echo "$program ended; its last lines:"
      tail -n 15 "$home/logs/$program.log"
      return 1
    fi
    sleep 0.1
  done
}
