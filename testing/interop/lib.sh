# Sourced by `run`: starts and ends servers, runs check files inside the roots, keeps the results.
# shellcheck shell=bash disable=SC2154  # here, repo, cache, work, results... are set by `run`.

torch_name() { echo "torch-$(cat "$cache/roots/torch_$1/.torch_version")"; }

# What its server and clients speak.
torch_dialect() {
  case $(torch_name "$1") in
    torch-1.* | torch-2.0.*) echo legacy ;;
    *) echo modern ;;
  esac
}

# record STATUS TORCH GROUP WHERE NAME [DETAIL]: prints one check and keeps it for the summary.
record() {
  local IFS=$'\t'
  echo "$*" >>"$results"
  printf '%-4s  %-13s %-6s %s: %s%s\n' "$1" "$2" "$4" "$3" "$5" "${6:+  ($6)}"
}

# wait_for_file FILE SECONDS PID: until FILE is there; not for ever, nor for a PID that is gone.
wait_for_file() {
  local file=$1 deadline=$((SECONDS + $2))
  until [[ -e $file ]]; do
    ((SECONDS < deadline)) && kill -0 "$3" 2>/dev/null || return 1
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

# One member of etcd, on the loopback, for servers that are fronts of it.
start_etcd() {
  local client peer try
  if ! [[ $(type -P etcd) && $(type -P etcdctl) ]]; then
    record FAIL - etcd - "is there to be started" "apt-get install etcd-server etcd-client"
    return 1
  fi
  for try in 1 2 3 4 5; do
    client=$((20000 + RANDOM % 10000)) peer=$((client + 1))
    rm -rf "$work/etcd"
    etcd --name=one --data-dir="$work/etcd" --log-level=error \
      --listen-client-urls="http://127.0.0.1:$client" \
      --advertise-client-urls="http://127.0.0.1:$client" \
      --listen-peer-urls="http://127.0.0.1:$peer" \
      --initial-advertise-peer-urls="http://127.0.0.1:$peer" \
      --initial-cluster="one=http://127.0.0.1:$peer" >"$work/etcd.log" 2>&1 &
    etcd_pid=$! etcd_endpoint=127.0.0.1:$client etcd_prefix=/interop
    ETCDCTL_API=3 etcdctl --endpoints="$etcd_endpoint" endpoint health --command-timeout=10s \
      >/dev/null 2>&1 && kill -0 "$etcd_pid" 2>/dev/null && return 0
    stop_etcd # Another may have had the port.
  done
  record FAIL - etcd - "answers" "$(tail -n 1 "$work/etcd.log")"
  return 1
}

stop_etcd() {
  disown "$etcd_pid" 2>/dev/null
  kill -KILL "$etcd_pid" 2>/dev/null
  etcd_pid=
}

# start_servers SUITE LABEL...: starts a server a label and sets `targets` (LABEL=HOST:PORT, as the
# check files take them), `endpoint` (of the last) and server_pids. The labels epoll and libuv are
# our server's backends, with front- before them as fronts of start_etcd's etcd; torch is SUITE's own
# server, or $torch_servers of them, whose ports are in `ports`.
start_servers() {
  local suite=$1 label port_file
  shift
  targets=() server_labels=("$@")
  for label in "$@"; do
    port_file=$(mktemp -u "$work/port.XXXXXX")
    case $label in
      torch)
        enter "$suite" python3 torch_server.py "/rollcall/run/${port_file##*/}" "${torch_servers:-1}"
        ;;
      front-*)
        exec "$server" --host=127.0.0.1 --port=0 --port_file="$port_file" \
          --backend="${label#front-}" --engine=etcd --etcd="$etcd_endpoint$etcd_prefix"
        ;;
      *) exec "$server" --host=127.0.0.1 --port=0 --port_file="$port_file" --backend="$label" ;;
    esac >"$port_file.log" 2>&1 &
    server_pids+=($!)
    if ! wait_for_file "$port_file" 30 $!; then
      record FAIL - server "$label" "listens within 30 s" "$(tail -n 1 "$port_file.log")"
      return 1
    fi
    mapfile -t ports <"$port_file"
    endpoint=127.0.0.1:${ports[0]}
    targets+=("$label=$endpoint")
  done
}

# Ends the servers; ours must end with 0 when asked to. With KILL they are not asked.
stop_servers() { # [KILL]
  local i label pid status deadline
  for i in "${!server_pids[@]}"; do
    label=${server_labels[i]} pid=${server_pids[i]} status=0 deadline=$((SECONDS + 10))
    if [[ $label == torch || ${1:-TERM} == KILL ]]; then
      disown "$pid" # A job that the shell no longer knows is not announced as killed.
      kill -KILL "$pid" 2>/dev/null
      continue
    fi
    kill -TERM "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" || status=$?
    ((status == 0)) || record FAIL - server "$label" "SIGTERM ends it with 0" "status $status"
  done
  server_pids=()
}

# in_root SUITE DEADLINE GROUP SCRIPT ARGUMENT...: runs a check file and records its lines. One that
# dies, or ends without having said a word, is a failed check.
in_root() {
  local out suite=$1 deadline=$2 group=$3
  shift 3
  out=$(mktemp "$work/out.XXXXXX")
  run_in_root "$out" "$suite" "$deadline" "$@"
  collect "$out" "$suite" "$group" "$1"
}

run_in_root() { # OUT SUITE DEADLINE SCRIPT ARGUMENT...
  local out=$1 suite=$2 deadline=$3
  shift 3
  export -f enter torch_name
  (export here repo cache work shim="${shim:-}"
    timeout --signal=KILL "$deadline" bash -c 'enter "$@"' enter "$suite" python3 "$@") \
    >"$out" 2>"$out.err"
  echo $? >"$out.status"
}

collect() { # OUT SUITE GROUP SCRIPT
  local out=$1 suite=$2 group=$3 script=$4 status line fields failed=0
  status=$(cat "$out.status")
  while IFS= read -r line; do
    [[ $line == @* ]] || continue
    IFS=$'\x1f' read -r -a fields <<<"${line//$'\t'/$'\x1f'}"
    [[ ${fields[0]} != @FAIL ]] || failed=1
    record "${fields[0]#@}" "${fields[@]:1}"
  done <"$out"
  if [[ $status != 0 && $failed == 0 ]] || ! grep -q '^@' "$out"; then
    record FAIL "$(torch_name "$suite")" "$group" - "$script runs to its end" "status $status"
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
