import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/**
 * Another version of the package in a folder of its own: what is built, with that version. `change`: pairs of what
 * its agent's code has, and what it has instead. Returns the path of its launcher.
 */
export function otherVersion(
  folder: string,
  version: string,
  ...change: [from: string, to: string][]
): string {
  mkdirSync(folder, { recursive: true });
  for (const part of ["bin", "dist", "templates"])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, version }));
  const agent = join(folder, "dist/agent.js");
  let code = readFileSync(agent, "utf8");
  for (const [from, to] of change) {
    if (code.split(from).length !== 2) throw new Error(`the agent's code does not have ${from} once`);
    code = code.replace(from, () => to);
  }
  writeFileSync(agent, code);
  return join(folder, "bin/xy.js");
}
