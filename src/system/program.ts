import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { isCode, isFileWith, makeWayForFile, makeWayForFolder, readText, writeAtomic } from "./files.ts";
import {
  agentEntryPath,
  bridgeCodePath,
  bridgeEntryPath,
  launcherPath,
  packageRoot,
  packageVersion,
} from "./package.ts";
import { bridgeProgramPath, ensurePrivateDir, programPaths, programsDir } from "./paths.ts";

/** What runs as the agent, as absolute paths: Node, and its script. */
export interface Program {
  readonly node: string;
  readonly entry: string;
}

/** How long copies are kept that no file names, ms: somebody may be about to name one. */
const KEPT_UNNAMED = 10 * 60_000;

/** Undefined if the file does not exist or names no program: the last line of a torn file is incomplete. */
export function readProgram(path: string): Program | undefined {
  const [node, entry, rest] = textOr(path).split("\n");
  return node && entry && rest !== undefined ? { node, entry } : undefined;
}

function textOr(path: string): string {
  try {
    return readText(path) ?? "";
  } catch {
    return "";
  }
}

/** One line each, for a shell to read. `more`: further lines. Throws on a path with a newline. */
export function writeProgram(path: string, { node, entry }: Program, ...more: string[]): void {
  if (/\n/.test(node + entry)) throw new Error("cannot run an agent from a path with a newline in it");
  makeWayForFile(path);
  writeAtomic(path, `${[node, entry, ...more].join("\n")}\n`, { durable: true });
}

/**
 * A copy of this package's agent in the state folder, made if there is none, and repaired if it is damaged: a power cut may
 * leave it torn. So replacing or removing the installation does not change what runs after a crash, or after a failed
 * upgrade.
 */
export function copyOfAgent(state: string): Program {
  // Node cannot load a module from such a path: then the package itself is used.
  if (state.includes("\\")) return { node: process.execPath, entry: agentEntryPath() };
  const code = fs.readFileSync(agentEntryPath());
  const bridge = fs.readFileSync(bridgeCodePath());
  const hash = createHash("sha256")
    .update(code)
    .update(bridge)
    .update(packageRoot())
    .digest("hex")
    .slice(0, 12);
  const dir = join(programsDir(state), `${packageVersion()}-${hash}`);
  const files: Readonly<Record<string, string | Buffer>> = {
    // For the loop: the agent, and where it was copied from.
    "dist/agent.js.sum": `${posixSum(code)}\n${agentEntryPath()}\n`,
    "package.json": fs.readFileSync(join(packageRoot(), "package.json")),
    // Commands that the agent runs come from the package itself.
    "bin/xy.js": `import ${JSON.stringify(pathToFileURL(launcherPath()))};\n`,
    "dist/agent.js": code,
    "dist/bridge.cjs": bridge,
    "bin/bridge.cjs": fs.readFileSync(bridgeEntryPath()),
  };
  for (const folder of [programsDir(state), dir, join(dir, "dist"), join(dir, "bin")]) {
    makeWayForFolder(folder);
    ensurePrivateDir(folder);
  }
  for (const [name, data] of Object.entries(files)) {
    const path = join(dir, name);
    if (isFileWith(path, data)) continue;
    makeWayForFile(path);
    // Whatever the umask, and however the package was installed: nobody else may write to what is run.
    writeAtomic(path, data, { durable: true });
  }
  const now = new Date();
  fs.utimesSync(dir, now, now);
  return { node: process.execPath, entry: join(dir, "dist/agent.js") };
}

/** The file's cksum(1): POSIX's CRC, and the length. */
function posixSum(data: Uint8Array): string {
  let crc = 0;
  const feed = (byte: number) => {
    crc = ((crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ byte] ?? 0)) >>> 0;
  };
  for (const byte of data) feed(byte);
  for (let length = data.length; length > 0; length >>>= 8) feed(length & 0xff);
  return `${~crc >>> 0} ${data.length}`;
}

const CRC_TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** For an agent that runs from its package because its copy was damaged: makes the copy again, to run next. */
export function mendCopy(state: string): void {
  if (basename(dirname(packageRoot())) !== basename(programsDir(state))) prepareProgram(state);
}

/** Makes this package's agent the one to run. */
export function prepareProgram(state: string): void {
  writeProgram(programPaths(state).current, copyOfAgent(state));
}

/** Removes copies that nothing names any more. One that cannot be removed is left for the next time. */
export function forgetCopies(state: string, now: number): void {
  const named = [...Object.values(programPaths(state)), bridgeProgramPath(state)].map(
    (path) => readProgram(path)?.entry ?? "",
  );
  try {
    for (const name of fs.readdirSync(programsDir(state))) {
      const dir = join(programsDir(state), name);
      if (named.some((entry) => entry.startsWith(`${dir}/`))) continue;
      if (now - fs.statSync(dir).mtimeMs > KEPT_UNNAMED) fs.rmSync(dir, { recursive: true, force: true });
    }
  } catch (error) {
    if (!isCode(error, "ENOENT", "EACCES", "EPERM")) throw error;
  }
}
