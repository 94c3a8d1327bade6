# Sourced by `run`: one function a group of checks.
# shellcheck shell=bash disable=SC2154  # suites, labels, targets... are set by `run` and lib.sh.

# The build's TCPStore must have use_libuv=False as its default; see checks/libuv_default.
libuv_shim=/rollcall/checks/libuv_default

# with_servers SUITE DEADLINE GROUP SCRIPT ARGUMENT...: one process of checks on fresh servers, one a
# backend, named at the end of its command.
with_servers() {
  start_servers "$1" "${labels[@]}" || return
  in_root "$@" "${targets[@]}"
  stop_servers
}

wire_group() {
  start_servers - "${labels[@]}" || return
  in_root "${suites%% *}" 60 wire raw_wire.py "${targets[@]}"
  stop_servers
}

api_group() { with_servers "$1" 120 api store_api.py; }

# One FileStore's file: written by our client, then by torch, then read by our client.
file_group() {
  local suite=$1 file got wanted=$'from torch\n\n7\nfalse\n5\n'
  file=$(mktemp -u "$work/file.XXXXXX")
  "$cli" --endpoint="file://$file" >"$file.log" 2>&1 <<'SCRIPT'
set ours "from our client"
add counter 5
set "deleted by torch" "soon gone"
SCRIPT
  in_root "$suite" 60 file file_store.py "/rollcall/run/${file##*/}"
  got=$("$cli" --endpoint="file://$file" 2>>"$file.log" <<'SCRIPT'
get torch's
get counter
check "deleted by torch"
add counter -2
SCRIPT
  echo .) # Or else the shell would take the newlines from the end.
  if [[ $got == "$wanted." ]]; then
    record ok "$(torch_name "$suite")" file file "our client reads what torch wrote"
  else
    record FAIL "$(torch_name "$suite")" file file "our client reads what torch wrote" \
      "got $(printf %q "$got")"
    sed 's/^/    | /' "$file.log"
  fi
}

crowd_group() { with_servers "$1" 120 crowd crowd.py; }

failures_group() {
  local suite=$1 signal ready out job
  with_servers "$suite" 120 failures failures.py timeouts
  for signal in TERM KILL; do
    [[ $against == ours || $signal == KILL ]] || continue
    start_servers "$suite" "${labels[@]}" || return
    out=$(mktemp "$work/out.XXXXXX") ready=$(mktemp -u "$work/ready.XXXXXX")
    run_in_root "$out" "$suite" 90 failures.py disconnect "SIG$signal" \
      "/rollcall/run/${ready##*/}" "${targets[@]}" &
    job=$!
    wait_for_file "$ready" 60 "$job" # Without it the check itself fails, and says so.
    stop_servers "$signal"
    wait "$job"
    collect "$out" "$suite" failures failures.py
  done
}

process_group_group() {
  local how
  for how in store env tcp; do
    # A store handed in needs nothing of torchelastic, so nothing of the shim.
    shim=$([[ $how == store ]] || echo "$libuv_shim") \
      with_servers "$1" 120 process_group process_group.py "$how"
  done
}

# Of the catalogue, where what goes wrong is the network or a worker.
fault_scenarios=(
  b3_black_hole_ends d10_replies_do_not_pass d11_late_reply_to_an_add
  d4_reset_while_reading_the_reply e7_worker_restarts_before_the_barrier
  f7_unknown_adds_are_not_repeated
)

# Fault scenarios with our workers, the fault proxy, and torch's servers: one that has no keys yet
# for each.
faults_group() {
  local suite=$1 i name file torch_servers=${#fault_scenarios[@]}
  start_servers "$suite" torch || return
  for i in "${!fault_scenarios[@]}"; do
    name=${fault_scenarios[i]}
    file=$(mktemp -d "$work/faults.XXXXXX")/$name.textproto
    sed "s/^workers {/& dialect: $(torch_dialect "$suite" | tr a-z A-Z)/" \
      "$repo/fault_injection/scenarios/$name.textproto" >"$file"
    if "$fault_run" --rung=real --server="127.0.0.1:${ports[i]}" "$file" >"$file.log" 2>&1; then
      record ok "$(torch_name "$suite")" faults torch "$name"
    else
      record FAIL "$(torch_name "$suite")" faults torch "$name"
      head -n 40 "$file.log" | sed 's/^/    | /'
    fi
  done
  stop_servers
  torch_workers "$suite"
}

# And with our server and torch's workers: the process of a role is a script that goes into the root
# for a worker.
torch_workers() {
  local suite=$1 process file name
  process=$work/torch_role.$suite
  cat >"$process" <<PROCESS
#!/bin/bash
here='--scenario=$work'
case " \$* " in
  *" --role=w"*)
    exec "$repo/third_party/roots/enter_root" "$cache/roots/torch_$suite" \\
      --bind "$here/checks:/rollcall/checks" --bind "$work:/rollcall/run" \\
      --cd /rollcall/checks -- env PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \\
      OPENBLAS_NUM_THREADS=1 python3 torch_role.py "\${@/#"\$here"/--scenario=/rollcall/run}"
    ;;
  *) exec "${fault_run%/*}/fault_process" "\$@" ;;
esac
PROCESS
  chmod +x "$process"
  for file in "$here"/scenarios/*.textproto; do
    name=$(basename "$file" .textproto)
    if [[ $name == reset_under_a_wait && $(torch_name "$suite") == torch-1.* ]]; then
      # "terminate called after throwing an instance of 'std::system_error'": seen with 1.13.1.
      record note "$(torch_name "$suite")" faults "torch's client" "$name" "a reset ends its process"
      continue
    fi
    cp "$file" "$work/"
    if "$fault_run" --rung=real --process="$process" "$work/$name.textproto" \
      >"$work/$name.log" 2>&1; then
      record ok "$(torch_name "$suite")" faults "torch's client" "$name"
    else
      record FAIL "$(torch_name "$suite")" faults "torch's client" "$name"
      head -n 40 "$work/$name.log" | sed 's/^/    | /'
    fi
  done
}

torchrun_group() {
  local how
  for how in static c10d; do
    shim=$libuv_shim with_servers "$1" 180 torchrun torchrun.py "$how"
  done
}

# Every torch and our own client in both dialects, at once on the servers that run: each comes by the
# next of them.
meet_all() {
  local suite peers=(cli-modern cli-legacy) jobs=() outs=() out dialect i=0 target
  for suite in $suites; do peers+=("$(torch_name "$suite")"); done
  for suite in $suites; do
    out=$(mktemp "$work/out.XXXXXX")
    outs+=("$suite:$out")
    target=${targets[i++ % ${#targets[@]}]}
    run_in_root "$out" "$suite" 80 mixed.py "$target" "$(torch_name "$suite")" "${peers[@]}" &
    jobs+=($!)
  done
  for dialect in modern legacy; do
    target=${targets[i++ % ${#targets[@]}]}
    (endpoint=${target#*=} && cli_peer "$dialect" "cli-$dialect" "${peers[@]}") \
      >"$work/peer.$dialect" 2>&1 &
    jobs+=($!)
  done
  wait "${jobs[@]}"
  for out in "${outs[@]}"; do collect "${out#*:}" "${out%%:*}" mixed mixed.py; done
  for dialect in modern legacy; do
    if [[ $(tail -n 1 "$work/peer.$dialect") == "met all" ]]; then
      record ok "cli-$dialect" mixed "${targets[0]%%=*}" "a peer among torch's clients"
    else
      record FAIL "cli-$dialect" mixed "${targets[0]%%=*}" "a peer among torch's clients" \
        "$(tail -n 1 "$work/peer.$dialect")"
    fi
  done
}

mixed_group() {
  local label
  for label in "${labels[@]}"; do
    start_servers - "$label" || return
    meet_all
    stop_servers
  done
}

# The same by two fronts of one etcd; then each torch's methods by a front.
fronts_group() {
  local suite
  start_etcd || return
  start_servers - front-epoll front-libuv || return
  meet_all
  stop_servers
  for suite in $suites; do
    etcd_prefix=/api-$suite
    start_servers "$suite" front-epoll || return
    in_root "$suite" 120 api store_api.py "${targets[@]}"
    stop_servers
  done
  stop_etcd
}

# All that concerns one torch.
suite_groups() {
  local suite=$1 group
  in_root "$suite" 60 torch describe.py
  for group in cli faults api file crowd failures process_group torchrun; do
    if wants $group; then "${group}_group" "$suite"; fi
  done
}
