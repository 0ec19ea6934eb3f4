#!/usr/bin/env node
import { existsSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Halves the start-up where Node has it (22.1). In a folder of our own: the default is a shared one under /tmp.
module.enableCompileCache?.(
  process.env.NODE_COMPILE_CACHE ??
    join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "xy", "compiled"),
);

const entry = new URL("../dist/main.js", import.meta.url);
if (!existsSync(entry)) {
  console.error("xy: cannot start: dist/ has not been built: run `npm run build` in the project's folder");
  process.exit(1);
}
const { main } = await import(entry.href);
await main(process.argv.slice(2));
