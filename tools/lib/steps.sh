# shellcheck shell=bash
# Long steps that show progress, have a time limit and keep a log. Sourced by tools/quickstart and
# tools/check, which set `logs` to a folder first.
#
#   run_step NAME SECONDS COMMAND ...              runs it; the status is the command's
#   run_step --show REGEX NAME SECONDS COMMAND ... also shows the output's lines that match

: "${logs:?set logs to a folder before sourcing steps.sh}"
export LC_ALL=C.UTF-8

step_pid=

# An interrupt ends the running step and its children, too.
stop_step() {
  trap - INT TERM
  if [[ -n $step_pid ]]; then
    kill -TERM "$step_pid" 2>/dev/null || true
    wait "$step_pid" 2>/dev/null || true
  fi
  echo "interrupted" >&2
  exit 130
}
trap stop_step INT TERM

say() {
  printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"
}

# The last line of a log that says something, cut to a terminal's width.
last_line() {
  tail -c 2000 "$1" 2>/dev/null | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c 1-90 || true
}

run_step() {
  local show=
  if [[ $1 == --show ]]; then
    show=$2
    shift 2
  fi
  local name=$1 limit=$2
  shift 2
  mkdir -p "$logs"
  local log="$logs/${name//[^A-Za-z0-9]/-}.log"
  local start=$SECONDS shown=$SECONDS seen=0 status=0
  say "$name ..."
  timeout --kill-after=15 "$limit" "$@" >"$log" 2>&1 </dev/null &
  step_pid=$!
  while kill -0 "$step_pid" 2>/dev/null; do
    sleep 0.5
    if [[ -n $show ]]; then
      show_new_lines
    fi
    if ((SECONDS - shown >= 20)); then
      say "$name: $((SECONDS - start)) s: $(last_line "$log")"
      shown=$SECONDS
    fi
  done
  wait "$step_pid" || status=$?
  step_pid=
  if [[ -n $show ]]; then
    show_new_lines
  fi
  case $status in
    0) say "$name: done in $((SECONDS - start)) s" ;;
    124 | 137) say "$name: STOPPED after its limit of $limit s; log: $log" ;;
    *) say "$name: FAILED with status $status after $((SECONDS - start)) s; log: $log" ;;
  esac
  return "$status"
}

# Uses run_step's variables: prints what came to the log since the last call and matches.
show_new_lines() {
  local total
  total=$(wc -l <"$log")
  if ((total > seen)); then
    if sed -n "$((seen + 1)),${total}p" "$log" | grep -E -- "$show" | sed 's/^/          /'; then
      shown=$SECONDS
    fi
    seen=$total
  fi
}

# The end of a failed step's log.
show_log() {
  local log="$logs/${1//[^A-Za-z0-9]/-}.log"
  echo "---- the last ${2:-60} lines of $log"
  tail -n "${2:-60}" "$log" || true
  echo "----"
}
