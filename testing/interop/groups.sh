# Sourced by `run`: one function a group of checks.
# shellcheck shell=bash disable=SC2154  # suites, against, endpoint... are set by `run` and lib.sh.

labels() { if [[ $against == torch ]]; then echo torch; else echo epoll libuv; fi; }

# The build's TCPStore must have use_libuv=False as its default; see checks/libuv_default.
libuv_shim=/rollcall/checks/libuv_default

wire_group() {
  local label
  for label in epoll libuv; do
    start_server "$label" -
    in_root "${suites%% *}" 60 wire "$label" raw_wire.py "$label=$endpoint"
    stop_server "$label"
  done
}

api_group() {
  local suite=$1 label
  for label in $(labels); do
    start_server "$label" "$suite"
    in_root "$suite" 120 api "$label" store_api.py "$label=$endpoint"
    stop_server "$label"
  done
}

crowd_group() {
  local suite=$1 label
  for label in $(labels); do
    start_server "$label" "$suite"
    in_root "$suite" 90 crowd "$label" crowd.py "$label=$endpoint"
    stop_server "$label"
  done
}

failures_group() {
  local suite=$1 label signal ready out job
  for label in $(labels); do
    start_server "$label" "$suite"
    in_root "$suite" 90 failures "$label" failures.py timeouts "$label=$endpoint"
    stop_server "$label"
    for signal in TERM KILL; do
      [[ $label != torch || $signal == KILL ]] || continue
      start_server "$label" "$suite"
      ready=$work/ready.$label.$signal.$suite
      out=$(mktemp "$work/out.XXXXXX")
      run_in_root "$out" "$suite" 60 failures "$label" failures.py disconnect "$label=$endpoint" \
        "/rollcall/run/${ready##*/}" "SIG$signal" &
      job=$!
      wait_for_file "$ready" 30 # Without it the check itself fails, and says so.
      kill_server "$signal"
      wait "$job"
      collect "$out" "$suite" failures "$label" failures.py
    done
  done
}

process_group_group() {
  local suite=$1 label how
  for label in $(labels); do
    for how in store env tcp; do
      start_server "$label" "$suite"
      # A store handed in needs nothing of torchelastic, so nothing of the shim.
      shim=$([[ $how == store ]] || echo "$libuv_shim") \
        in_root "$suite" 70 process_group "$label" process_group.py "$how:$label=$endpoint"
      stop_server "$label"
    done
  done
}

torchrun_group() {
  local suite=$1 label how
  for label in $(labels); do
    for how in static c10d; do
      start_server "$label" "$suite"
      shim=$libuv_shim in_root "$suite" 90 torchrun "$label" torchrun.py "$how" "$label=$endpoint"
      stop_server "$label"
    done
  done
}

# Every torch and our own client in both dialects, at once on one port.
mixed_group() {
  local label suite peers="cli-modern cli-legacy" jobs outs out dialect
  for suite in $suites; do peers+=" $(torch_name "$suite")"; done
  for label in epoll libuv; do
    start_server "$label" -
    jobs=() outs=()
    for suite in $suites; do
      out=$(mktemp "$work/out.XXXXXX")
      outs+=("$suite:$out")
      # shellcheck disable=SC2086  # The peers are words.
      run_in_root "$out" "$suite" 80 mixed "$label" mixed.py "$label=$endpoint" \
        "$(torch_name "$suite")" $peers &
      jobs+=($!)
    done
    for dialect in modern legacy; do
      # shellcheck disable=SC2086
      cli_peer "$dialect" "cli-$dialect" $peers >"$work/peer.$dialect" 2>&1 &
      jobs+=($!)
    done
    wait "${jobs[@]}"
    for out in "${outs[@]}"; do collect "${out#*:}" "${out%%:*}" mixed "$label" mixed.py; done
    for dialect in modern legacy; do
      if [[ $(tail -n 1 "$work/peer.$dialect") == "met all" ]]; then
        record ok "cli-$dialect" mixed "$label" "a peer among torch's clients"
      else
        record FAIL "cli-$dialect" mixed "$label" "a peer among torch's clients" \
          "$(tail -n 1 "$work/peer.$dialect")"
      fi
    done
    stop_server "$label"
  done
}
