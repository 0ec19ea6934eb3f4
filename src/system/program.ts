import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isCode, readText, writeAtomic } from "./files.ts";
import { agentEntryPath, launcherPath, packageRoot, packageVersion } from "./package.ts";
import { ensurePrivateDir, programPaths, programsDir } from "./paths.ts";

/** What runs as the agent, as absolute paths: a Node, and the script that it is given. */
export interface Program {
  readonly node: string;
  readonly entry: string;
}

/** Copies that no file names are kept for so long, ms: somebody may be about to name one. */
const KEPT_UNNAMED = 10 * 60_000;

/** Undefined when the file is not there, or holds no program. */
export function readProgram(path: string): Program | undefined {
  const [node, entry] = (readText(path) ?? "").split("\n");
  return node && entry ? { node, entry } : undefined;
}

/** A line each, for a shell to read. `more`: further lines. Throws on a path that is no line. */
export function writeProgram(path: string, { node, entry }: Program, ...more: string[]): void {
  if (/\n/.test(node + entry)) throw new Error("cannot run an agent from a path with a newline in it");
  writeAtomic(path, `${[node, entry, ...more].join("\n")}\n`);
}

/**
 * A copy of this package's agent in the state folder, made when there is none. An installation that is replaced in
 * place, or removed, does not change what a crash brings back, nor what a failed upgrade goes back to.
 */
export function copyOfAgent(state: string): Program {
  // Node loads no module from such a path. Then there is the package only.
  if (state.includes("\\")) return { node: process.execPath, entry: agentEntryPath() };
  const code = fs.readFileSync(agentEntryPath());
  const hash = createHash("sha256").update(code).update(packageRoot()).digest("hex").slice(0, 12);
  const dir = join(programsDir(state), `${packageVersion()}-${hash}`);
  const program = { node: process.execPath, entry: join(dir, "dist/agent.js") };
  if (fs.existsSync(program.entry)) {
    const now = new Date();
    fs.utimesSync(dir, now, now);
    return program;
  }
  const making = `${dir}.${randomBytes(6).toString("hex")}`;
  for (const folder of ["dist", "bin"]) ensurePrivateDir(join(making, folder));
  // Whatever the umask, and however the package was installed: nobody else writes what is run.
  const write = (path: string, data: string | Buffer) =>
    fs.writeFileSync(join(making, path), data, { mode: 0o600 });
  write("dist/agent.js", code);
  write("package.json", fs.readFileSync(join(packageRoot(), "package.json")));
  // What the agent runs as a command is the package itself.
  write("bin/xy.js", `import ${JSON.stringify(pathToFileURL(launcherPath()))};\n`);
  try {
    fs.renameSync(making, dir);
  } catch (error) {
    fs.rmSync(making, { recursive: true, force: true });
    // Another process has made the same one meanwhile.
    if (!isCode(error, "ENOTEMPTY", "EEXIST")) throw error;
  }
  return program;
}

/** Removes the copies that nothing names any more. What cannot be removed is left for the next time. */
export function forgetCopies(state: string, now: number): void {
  const named = Object.values(programPaths(state)).map((path) => readProgram(path)?.entry ?? "");
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
