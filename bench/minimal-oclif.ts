import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Plugin } from "@oclif/core/config";
import type { PJSON } from "@oclif/core/interfaces";
import { settings } from "@oclif/core/settings";
import { rolldown } from "rolldown";

const ROOT = join(import.meta.dirname, "..");

const PJSON_TEXT = JSON.stringify({
  name: "minimal",
  version: "1.0.0",
  type: "module",
  oclif: { bin: "minimal", commands: { strategy: "pattern", target: "./commands" } },
});

const MAIN = `
import { fileURLToPath } from "node:url";
import { run } from "@oclif/core/run";
import { settings } from "@oclif/core/settings";
settings.enableAutoTranspile = false;
const root = fileURLToPath(new URL(".", import.meta.url));
await run(process.argv.slice(2), { root, pjson: ${PJSON_TEXT}, userPlugins: false, devPlugins: false });
process.exit();
`;

const HELLO = `
import { Command } from "@oclif/core/command";
export default class Hello extends Command {
  static enableJsonFlag = true;
  async run() {
    await this.parse(Hello);
    console.log("hello");
  }
}
`;

const LAUNCHER = `
import module from "node:module";
module.enableCompileCache?.(new URL("compiled", import.meta.url).pathname);
await import("./main.js");
`;

/**
 * The minimum for an oclif command: one that prints a word, bundled and launched like xy, and also loads these libraries.
 * Returns its launcher.
 */
export async function minimalOclif(dir: string, libraries: readonly string[] = []): Promise<string> {
  const [sources, target] = [join(dir, "src"), join(dir, "dist")];
  for (const folder of [sources, join(target, "commands")]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(sources, "main.js"), MAIN);
  const loads = libraries.map((name) => `import * as ${name.replaceAll(/\W/g, "_")} from "${name}";\n`);
  const uses = libraries.map((name) => `globalThis.loaded = ${name.replaceAll(/\W/g, "_")};\n`);
  writeFileSync(join(sources, "hello.js"), [...loads, HELLO, ...uses].join(""));
  const bundled = await rolldown({
    cwd: ROOT,
    input: { main: join(sources, "main.js"), "commands/hello": join(sources, "hello.js") },
    platform: "node",
    external: [/^node:/],
    resolve: { modules: [join(ROOT, "node_modules")] },
    onLog: () => {},
  });
  await bundled.write({
    dir: target,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
  });
  await bundled.close();
  writeFileSync(join(target, "package.json"), PJSON_TEXT);
  settings.enableAutoTranspile = false;
  const pjson = JSON.parse(PJSON_TEXT) as PJSON;
  const plugin = new Plugin({
    root: target,
    pjson,
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  await plugin.load();
  writeFileSync(join(target, "oclif.manifest.json"), JSON.stringify(plugin.manifest));
  const launcher = join(target, "launch.js");
  writeFileSync(launcher, LAUNCHER);
  return launcher;
}
