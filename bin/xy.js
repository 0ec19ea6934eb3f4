#!/usr/bin/env node
import { existsSync } from "node:fs";
import module from "node:module";
import os from "node:os";

const built = new URL("../dist/", import.meta.url);
if (!existsSync(new URL("main.js", built))) {
  console.error("xy: cannot start: dist/ has not been built: run `npm run build` in the project's folder");
  process.exit(1);
}
// Libraries ask for the account's home and shell as they are loaded, where the environment has none; without an entry in
// passwd that throws. What xy itself goes by is in `system/account.ts`.
try {
  os.userInfo();
} catch {
  process.env.SHELL ??= "/bin/sh";
  if (process.env.HOME === undefined) os.homedir = () => "/";
}
// It is asked by a shell, at each press of Tab, and leaves nothing behind.
if (process.argv[2] === "__complete") {
  const { runComplete } = await import(new URL("complete.js", built).href);
  process.exit(await runComplete(process.argv.slice(3)));
}
// The doctor writes nothing at all.
if (module.enableCompileCache && process.argv[2] !== "doctor") {
  // A small file by itself, before all others: what comes after it is loaded as it was compiled before.
  const { keepCompiled } = await import(new URL("compiled.js", built).href);
  keepCompiled(process.env, module);
}
/** With these, the rest of xy is meant. */
const OTHERWISE = ["--help", "-h", "--open", "--launcher"];
/** They stay for as long as their server, or client, runs: nothing else of xy is loaded for them. */
const ALONE = { bridge: ["bridge.cjs", "runBridge"], connect: ["connect.js", "runConnect"] };
const [command, ...words] = process.argv.slice(2);
const own = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
if (Object.hasOwn(ALONE, command ?? "") && !own.some((word) => OTHERWISE.includes(word))) {
  const [file, name] = ALONE[command];
  const { [name]: run } = await import(new URL(file, built).href);
  process.exit(await run(words));
}
const { main } = await import(new URL("main.js", built).href);
await main(process.argv.slice(2));
