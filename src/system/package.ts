import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the installed package, found from this file, wherever the bundler put it. Throws if it is gone. */
export function packageRoot(): string {
  const own = dirname(fileURLToPath(import.meta.url));
  for (let dir = own; ; dir = dirname(dir)) {
    if (existsSync(join(dir, "package.json"))) return dir;
    if (dir === dirname(dir)) throw new Error(`cannot find package.json in ${own} or above: xy was removed`);
  }
}

let version: string | undefined;

/** This program's version; read once, so that an agent knows it even after its files were removed. */
export function packageVersion(): string {
  version ??= JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")).version as string;
  return version;
}

/** The oldest Node that this package runs on, such as `20.19`. */
export function oldestNode(): string {
  const { engines } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8"));
  return String(engines.node).replace(/^>=/, "");
}

/** A template of the package, by its name in `templates/`. */
export const templatePath = (name: string) => join(packageRoot(), "templates", name);
export const launcherPath = () => join(packageRoot(), "bin", "xy.js");
/** A bridge without the rest of xy, and its code. */
export const bridgeEntryPath = () => join(packageRoot(), "bin", "bridge.cjs");
export const bridgeCodePath = () => join(packageRoot(), "dist", "bridge.cjs");
export const agentEntryPath = () => join(packageRoot(), "dist", "agent.js");
