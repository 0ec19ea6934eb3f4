import { existsSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { isFileWith, makeWayForFile, writeAtomic } from "./files.ts";
import { bridgeEntryPath } from "./package.ts";
import { bridgeLauncherPath, bridgeProgramPath, ensurePrivateDir } from "./paths.ts";
import { copyOfAgent, type Program, readProgram, writeProgram } from "./program.ts";

/** The bridge beside the program that runs, without the rest of xy; undefined if it is gone. */
export function ownBridge(): Program | undefined {
  try {
    const entry = bridgeEntryPath();
    return existsSync(entry) ? { node: process.execPath, entry } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What units run where a server speaks over stdin and stdout: a script at a place that is the same for every version of xy,
 * which looks up where the bridge is now. Variables that the shell sets are removed, and Node options are kept for the
 * server: see `model/bridge-words.ts`.
 */
const LAUNCHER = `#!/bin/sh
# Written by xy: runs the bridge that serves an MCP server over HTTP. \`xy bridge --launcher\` writes this anew.
{ read -r _xy_node && read -r _xy_entry; } <"\${0%/*}/bridge.program" || _xy_entry=
if ! [ -x "$_xy_node" ] || ! [ -f "$_xy_entry" ]; then
  echo "xy: cannot find the bridge that serves this MCP server: run \\\`xy bridge --launcher\\\`" >&2
  exit 127
fi
if [ -n "\${NODE_OPTIONS+set}" ]; then
  export XY_BRIDGE_NODE_OPTIONS="$NODE_OPTIONS"
  unset NODE_OPTIONS
fi
exec /usr/bin/env -u PWD -u OLDPWD -u SHLVL -u _ "$_xy_node" "$_xy_entry" "$@"
`;

/** Writes the launcher, a copy of this version's bridge, and where that is. Returns the launcher's path. */
export function writeBridgeLauncher(state: string): string {
  ensurePrivateDir(state);
  const launcher = bridgeLauncherPath(state);
  const { node, entry } = copyOfAgent(state);
  writeProgram(bridgeProgramPath(state), { node, entry: bridgeBeside(entry) });
  if (!isLauncher(launcher)) {
    makeWayForFile(launcher);
    writeAtomic(launcher, LAUNCHER, { mode: 0o700, durable: true });
  }
  return launcher;
}

/** Whether units can run the bridge. */
export function hasBridgeLauncher(state: string): boolean {
  const program = readProgram(bridgeProgramPath(state));
  return (
    isLauncher(bridgeLauncherPath(state)) &&
    program !== undefined &&
    existsSync(program.node) &&
    existsSync(program.entry)
  );
}

const isLauncher = (path: string) =>
  isFileWith(path, Buffer.from(LAUNCHER)) && (statSync(path).mode & 0o100) !== 0;

/** The bridge's entry, of the package or the copy that an agent's entry is in. */
const bridgeBeside = (agent: string) => agent.replace(/dist\/agent\.js$/, "bin/bridge.cjs");

/** Removes what the bridge of a server kept, and the project's folder with the last of them. */
export function removeSessions(path: string): void {
  rmSync(path, { recursive: true, force: true });
  for (const folder of [dirname(path), dirname(dirname(path))]) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}
