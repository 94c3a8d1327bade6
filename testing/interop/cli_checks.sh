# Sourced by `run`: our client (store_cli) against torch's own servers, and as a peer of mixed.py.
# shellcheck shell=bash disable=SC2154  # cli, endpoint, work... are set by `run` and lib.sh.

# Runs one command, or those from stdin. After -- a word such as -7 is no flag. Killed only when it
# is long past the longest cli_timeout.
store_cli() {
  timeout --signal=KILL 80 "$cli" --endpoint="$endpoint" --timeout="$cli_timeout" \
    --dialect="$cli_dialect" -- "$@"
}

# expect NAME STATUS OUTPUT COMMAND...: OUTPUT is compared to the last byte.
expect() {
  local name=$1 want_status=$2 want=$3 got status
  shift 3
  got=$(store_cli "$@" 2>"$cli_errors"; status=$?; printf '.%d' "$status")
  status=${got##*.} got=${got%.*}
  if [[ $status == "$want_status" && $got == "$want" ]]; then
    record ok "$cli_torch" cli "$cli_where" "$name"
  else
    record FAIL "$cli_torch" cli "$cli_where" "$name" "status $status, printed $(printf %q "$got"),\
 expected $want_status and $(printf %q "$want"); $(tail -n 1 "$cli_errors")"
  fi
}

# Every operation that SUITE's server knows.
cli_group() {
  local suite=$1 version
  cli_torch=$(torch_name "$suite") cli_where=torch cli_timeout=5s
  cli_errors=$(mktemp "$work/cli.XXXXXX")
  cli_dialect=$(torch_dialect "$suite")
  version=${cli_torch#torch-}
  start_servers "$suite" torch || return
  cli_basic_operations
  if [[ $cli_dialect == modern ]]; then cli_operations_since_2_0; fi
  if [[ $cli_dialect == modern && $version != 2.[0-9].* ]]; then cli_operations_since_2_12; fi
  cli_failures
  stop_servers
  expect "a server that went" 3 "" get k
}

cli_basic_operations() {
  local newline=$'\n'
  expect "num_keys of nothing" 0 "0$newline" num_keys
  expect "set" 0 "" set k "a value"
  expect "get" 0 "a value" get k
  expect "set an empty value" 0 "" set empty ""
  expect "get an empty value" 0 "" get empty
  expect "set the empty key" 0 "" set "" "under nothing"
  expect "get the empty key" 0 "under nothing" get ""
  expect "add" 0 "5$newline" add n 5
  expect "add a negative number" 0 "-2$newline" add n -7
  expect "get a number" 0 "-2" get n
  expect "compare_set, missing key, something expected" 0 "x" compare_set c x y
  expect "compare_set, missing key, nothing expected" 0 "first" compare_set c "" first
  expect "compare_set, wrong" 0 "first" compare_set c wrong second
  expect "compare_set, right" 0 "second" compare_set c first second
  expect "check" 0 "true$newline" check k n c
  expect "check, one missing" 0 "false$newline" check k nowhere
  expect "wait" 0 "" wait k n c
  expect "delete" 0 "true$newline" delete k
  expect "delete again" 0 "false$newline" delete k
  expect "num_keys" 0 "4$newline" num_keys
  (sleep 0.3 && store_cli set late here) &
  expect "get blocks until another client sets" 0 "here" get late
  wait $!
  expect "a script of commands" 0 "1${newline}v w${newline}true$newline" < <(
    printf '%s\n' 'add script 1' '# a comment' 'set s "v w"' 'get s' 'check s script')
}

cli_operations_since_2_0() {
  local newline=$'\n'
  expect "append" 0 "" append log one
  expect "append again" 0 "" append log two
  expect "get what was appended" 0 "onetwo" get log
  expect "multi_set" 0 "" multi_set m1 1 m2 22
  expect "multi_get" 0 "22${newline}1${newline}onetwo$newline" multi_get m2 m1 log
  expect "ping" 0 "pong$newline" ping
}

cli_operations_since_2_12() {
  local newline=$'\n' keys
  keys=$(store_cli list_keys | sort | tr '\n' ' ')
  expect "set a key to be listed" 0 "" set zzz 1
  if [[ "$(store_cli list_keys | sort | tr '\n' ' ')" == "${keys}zzz " ]]; then
    record ok "$cli_torch" cli "$cli_where" "list_keys" "$keys"
  else
    record FAIL "$cli_torch" cli "$cli_where" "list_keys" "$keys and zzz expected"
  fi
  expect "barrier of one" 0 "" barrier alone 1
  store_cli barrier pair 2 &
  expect "barrier of two" 0 "" barrier pair 2
  wait $! || record FAIL "$cli_torch" cli "$cli_where" "barrier of two, the other one"
  expect "the barrier's counter" 0 "2" get pair
  # Torch's poll backend knows no queues and hangs up.
  expect "queue_push, then a question, to a server without queues" 3 "" queue_len q
}

cli_failures() {
  cli_timeout=3s # It connects within it too, and may be kept waiting for the processor.
  expect "wait for what never comes" 2 "" wait nowhere
  if grep -q nowhere "$cli_errors"; then
    record ok "$cli_torch" cli "$cli_where" "the error names the key"
  else
    record FAIL "$cli_torch" cli "$cli_where" "the error names the key" "$(cat "$cli_errors")"
  fi
  cli_timeout=5s
  expect "and the server serves on" 0 "-2" get n
}

# cli_peer DIALECT NAME PEER...: what mixed.py does, with store_cli; as patient as it, since who is
# waited for may still be loading torch.
cli_peer() {
  local cli_dialect=$1 name=$2 cli_timeout=60s peer winner winners i
  shift 2
  store_cli set "from/$name" "hello from $name" || return
  for peer in "$@"; do
    [[ $(store_cli get "from/$peer") == "hello from $peer" ]] || { echo "bad greeting of $peer"; return; }
  done
  for ((i = 0; i < 50; ++i)); do echo "add sum 1"; done | store_cli >"$work/sums.$cli_dialect" || return
  winner=$(store_cli compare_set owner "" "$name") || return
  store_cli set "winner/$name" "$winner"
  winners=$(for peer in "$@"; do store_cli get "winner/$peer"; echo; done | sort -u)
  [[ $winners == "$winner" ]] || { echo "several winners: $winners"; return; }
  store_cli set "done/$name" 1
  store_cli wait "${@/#/done/}" || return
  [[ $(store_cli get sum) == $((50 * $#)) ]] || { echo "wrong sum $(store_cli get sum)"; return; }
  echo "met all"
}
