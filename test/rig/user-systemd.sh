#!/bin/bash
# Runs a program beside a systemd of its own for this account, on a machine that may have been booted by another init:
#   user-systemd.sh HOME PROGRAM [ARGUMENT...]
# It all happens in a namespace of its own, with a /run of its own, and is gone when the program has ended. With
# SHARED_PIDS=1 its processes have the pids that the caller sees too.
# HOME: a folder for what the manager keeps; its environment gets HOME and XDG_CONFIG_HOME from there.
set -euo pipefail
if [ "${1:-}" != --inside ]; then
  [ -z "${SHARED_PIDS:-}" ] || exec unshare --mount /bin/bash "$0" --inside "$@"
  exec unshare --mount --pid --fork --kill-child --mount-proc /bin/bash "$0" --inside "$@"
fi
shift
export HOME=$1
shift
unset XDG_STATE_HOME XDG_CACHE_HOME
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system "/run/user/$UID" "$HOME/.config"
chmod 700 "/run/user/$UID"
export XDG_RUNTIME_DIR=/run/user/$UID XDG_CONFIG_HOME=$HOME/.config
# What is made for each reload, such as the environment that gpg would like, is of no use here.
export SYSTEMD_GENERATOR_PATH=/run/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/none
export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
[ -z "${JOURNAL:-}" ] || { /lib/systemd/systemd-journald >"$HOME/journald.log" 2>&1 & }
dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile >"$HOME/dbus.log" 2>&1 &
systemd=/lib/systemd/systemd
[ -x $systemd ] || systemd=/usr/lib/systemd/systemd
$systemd --user >"$HOME/systemd.log" 2>&1 &
manager=$!
for _ in $(seq 200); do
  systemctl --user show --property=Version >/dev/null 2>&1 && break
  sleep 0.05
done
systemctl --user show --property=Version >/dev/null || { cat "$HOME/systemd.log" >&2; exit 1; }
code=0
"$@" || code=$?
if [ -n "${SHARED_PIDS:-}" ]; then
  systemctl --user exit || kill "$manager"
  wait "$manager" || true
  # shellcheck disable=SC2046
  kill $(jobs -p) || true
fi
exit "$code"
