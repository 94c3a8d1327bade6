# Sourced by `run`: starts and ends servers, runs check files inside the roots, keeps the results.
# shellcheck shell=bash disable=SC2154  # here, repo, cache, work, results... are set by `run`.

torch_name() { echo "torch-$(cat "$cache/roots/torch_$1/.torch_version")"; }

# record STATUS TORCH GROUP WHERE NAME [DETAIL]: prints one check and keeps it for the summary.
record() {
  local IFS=$'\t'
  echo "$*" >>"$results"
  printf '%-4s  %-13s %-6s %s: %s%s\n' "$1" "$2" "$4" "$3" "$5" "${6:+  ($6)}"
}

# Waits until FILE exists, at most SECONDS.
wait_for_file() {
  local file=$1 deadline=$((SECONDS + $2))
  until [[ -e $file ]]; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

enter() { # SUITE COMMAND...: inside the torch root, as PID 1 of a namespace that dies with it.
  local suite=$1
  shift
  exec "$repo/third_party/roots/enter_root" "$cache/roots/torch_$suite" \
    --bind "$here/checks:/rollcall/checks" --bind "$work:/rollcall/run" --cd /rollcall/checks -- \
    env ROLLCALL_TORCH="$(torch_name "$suite")" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="${shim:-}" \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 GLOO_SOCKET_IFNAME=lo USE_LIBUV=0 "$@"
}

# start_server LABEL SUITE: sets `endpoint` and `server_pid`. epoll and libuv are ours; torch and
# torch-libuv are SUITE's own.
start_server() {
  local label=$1 suite=$2 port_file
  port_file=$(mktemp -u "$work/port.XXXXXX")
  case $label in
    torch) enter "$suite" python3 torch_server.py "/rollcall/run/${port_file##*/}" poll ;;
    torch-libuv) enter "$suite" python3 torch_server.py "/rollcall/run/${port_file##*/}" libuv ;;
    *) exec "$server" --host=127.0.0.1 --port=0 --port_file="$port_file" --backend="$label" ;;
  esac >"$work/server.log" 2>&1 &
  server_pid=$!
  server_pids+=("$server_pid")
  if ! wait_for_file "$port_file" 30; then
    record FAIL - server "$label" "listens within 30 s" "$(tail -n 1 "$work/server.log")"
    exit 1
  fi
  endpoint=127.0.0.1:$(tr -d '[:space:]' <"$port_file")
}

# Ends the server started last; ours must end with 0 when asked to.
stop_server() {
  local label=$1 status=0
  if [[ $label == torch* ]]; then
    kill_server KILL
    return
  fi
  kill_server TERM || status=$?
  ((status == 0)) || record FAIL - server "$label" "SIGTERM ends it with 0" \
    "status $status: $(tail -n 1 "$work/server.log")"
}

kill_server() { # SIGNAL: returns the server's status (0 after KILL).
  local signal=$1 status=0 deadline=$((SECONDS + 10))
  # A job that the shell no longer knows is not announced as killed.
  [[ $signal != KILL ]] || disown "$server_pid"
  kill "-$signal" "$server_pid" 2>/dev/null
  while kill -0 "$server_pid" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
  if [[ $signal != KILL ]]; then
    kill -KILL "$server_pid" 2>/dev/null
    wait "$server_pid" || status=$?
  fi
  server_pids=()
  return "$status"
}

# in_root SUITE DEADLINE GROUP WHERE SCRIPT ARGUMENT...: runs a check file and records its lines. One
# that dies, or ends without having said a word, is a failed check.
in_root() {
  local out
  out=$(mktemp "$work/out.XXXXXX")
  run_in_root "$out" "$@"
  collect "$out" "$1" "$3" "$4" "$5"
}

run_in_root() { # OUT SUITE DEADLINE GROUP WHERE SCRIPT ARGUMENT...
  local out=$1 suite=$2 deadline=$3
  shift 5
  export -f enter torch_name
  (export here repo cache work shim="${shim:-}"
    timeout --signal=KILL "$deadline" bash -c 'enter "$@"' enter "$suite" python3 "$@") \
    >"$out" 2>"$out.err"
  echo $? >"$out.status"
}

collect() { # OUT SUITE GROUP WHERE SCRIPT
  local out=$1 suite=$2 group=$3 where=$4 script=$5 status line failed=0
  status=$(cat "$out.status")
  while IFS= read -r line; do
    [[ $line == @* ]] || continue
    IFS=$'\x1f' read -r -a fields <<<"${line//$'\t'/$'\x1f'}"
    [[ ${fields[0]} != @FAIL ]] || failed=1
    record "${fields[0]#@}" "${fields[@]:1}"
  done <"$out"
  if [[ $status != 0 && $failed == 0 ]] || ! grep -q '^@' "$out"; then
    record FAIL "$(torch_name "$suite")" "$group" "$where" "$script runs to its end" "status $status"
    failed=1
  fi
  ((failed == 0)) || sed 's/^/    | /' "$out.err" | tail -n 40
}

summary() { # SECONDS
  awk -F'\t' -v took="$1" '
    $1 == "note" { next }
    { row = $2 "\t" $4; if (!(row in seen)) { seen[row] = 1; rows[++n] = row }
      if (!($3 in known)) { known[$3] = 1; columns[++m] = $3 }
      total[row, $3]++; if ($1 == "FAIL") { bad[row, $3]++; failed++ } else passed++ }
    END {
      printf "\n%-14s %-12s", "torch", "server"
      for (c = 1; c <= m; c++) printf " %-14s", columns[c]
      print ""
      for (r = 1; r <= n; r++) {
        split(rows[r], part, "\t")
        printf "%-14s %-12s", part[1], part[2]
        for (c = 1; c <= m; c++) {
          t = total[rows[r], columns[c]]; b = bad[rows[r], columns[c]]
          printf " %-14s", t ? (b ? b " of " t " FAIL" : t " ok") : "-"
        }
        print ""
      }
      printf "\nin %d s\n%d passed, %d failed\n", took, passed, failed
      exit failed > 0 || passed == 0
    }' "$results"
}
