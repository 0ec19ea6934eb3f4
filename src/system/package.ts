import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the installed package, found from this file, wherever the bundler put it. */
export function packageRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, "package.json"))) dir = dirname(dir);
  return dir;
}

export function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")).version;
}

/** A template of the package, by its name in `templates/`. */
export const templatePath = (name: string) => join(packageRoot(), "templates", name);
export const launcherPath = () => join(packageRoot(), "bin", "xy.js");
export const agentEntryPath = () => join(packageRoot(), "dist", "agent.js");
