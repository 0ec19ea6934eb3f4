#!/bin/bash
# Writes state/ and keeper.sh anew, with the agent of a built checkout: make.sh CHECKOUT
set -euo pipefail
checkout=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
root=$(mktemp -d)
state=$root/state/xy
servers=$state/projects/tools/servers

mkdir -p "$root/tools" "$state"
chmod 700 "$root/state" "$state"
cp -r "$here/servers.d" "$root/tools"
printf 'A key of no worth: for one test.' >"$state/key"
cd "$root/tools"
xy() {
  env -i PATH=/usr/bin:/bin HOME=/home/ann XDG_STATE_HOME="$root/state" XDG_CONFIG_HOME="$root/config" TOKEN=sesame \
    "$(command -v node)" "$checkout/bin/xy.js" "$@"
}
xy apply --yes --no-wait
until [ "$(xy list | grep -cE '^broken +stopped|yes +[0-9]+ ')" = 3 ]; do sleep 0.2; done
xy stop held

number() { sed -n "s/^ *\"$1\": \([0-9]*\),\$/\1/p" "$state/agent.json"; }
agent=$(number pid)
kill -9 "$(ps -o ppid= -p "$agent" | tr -d ' ')" "$agent"
web=$(cat "$servers/web/run/1/pid")
start=$(cut -d' ' -f22 "/proc/$web/stat")
kill -9 -- "-$(cat "$servers/web/run/1/keeper")"

rm -rf "$here/state" "$servers"/*/run "$state/xy.sock" "$state/agent.log"
cp -r "$state" "$here/state"
chmod -R u=rwX,go=rX "$here/state"
find "$here/state" -type f ! -name '*.log' ! -name key -exec sed -i \
  -e "s|$root|@ROOT@|g" -e "s/$(cat /proc/sys/kernel/random/boot_id)/@BOOT@/g" \
  -e "s/\"pid\": *$web,\"start\":\"$start\"/\"pid\":\"@PID@\",\"start\":\"@START@\"/" \
  -e "s/\"pid\": *$agent,/\"pid\": \"@AGENT_PID@\",/" {} +
sed -n '/^const SCRIPT = `$/,/^`;$/{//!p}' "$checkout/src/agent/keeper.ts" >"$here/keeper.sh"
cd "$here/../../.."
node_modules/.bin/biome format --write "$here/state"
rm -rf "$root"
