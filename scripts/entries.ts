import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Entry points of the bundle: their path in dist/ without `.js`, and their source. */
export function bundleEntries(root: string): Record<string, string> {
  return {
    main: "src/main.ts",
    agent: "src/agent/main.ts",
    bridge: "src/bridge/main.ts",
    connect: "src/connect/main.ts",
    complete: "src/completion/main.ts",
    compiled: "src/system/compiled.ts",
    help: "src/commands/help.ts",
    "config-worker": "src/config/read/worker.ts",
    xyctl: "src/config/read/xyctl.ts",
    client: "src/backends/agent/client.ts",
    ...commandEntries(root),
  };
}

/** A file under src/commands is a command when it has a default export; the others are what commands share. */
function commandEntries(root: string): Record<string, string> {
  const folder = join(root, "src/commands");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const commands = files.filter((file) => /^export default /m.test(readFileSync(join(folder, file), "utf8")));
  return Object.fromEntries(
    commands.sort().map((file) => [`commands/${file.replace(/\.ts$/, "")}`, `src/commands/${file}`]),
  );
}
