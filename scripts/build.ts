/**
 * Makes dist/: the bundled entry points with their shared chunks, oclif's manifest, the type declarations of what can be
 * imported, and the licences of what was bundled. XY_BUILD_PARTIAL=1 skips sources that do not exist.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Plugin } from "@oclif/core/config";
import type { PJSON } from "@oclif/core/interfaces";
import { settings } from "@oclif/core/settings";
import { type OutputChunk, type RolldownOutput, rolldown } from "rolldown";
import { CommonChunk } from "./common-chunk.ts";
import { bundleEntries } from "./entries.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const partial = process.env.XY_BUILD_PARTIAL === "1";
/** They go beside the modules that they describe. */
const DECLARATIONS = ["xyctl.d.ts", "client.d.ts"];

/**
 * One file each, sharing no chunk. A copy of the agent runs in the state folder, whatever happens to this one; and what
 * makes Node cache compiled code comes before everything else, and is small; so is what answers a press of the Tab key.
 */
const ALONE = ["agent", "bridge", "compiled", "complete", "connect"];
/** They run for as long as a server or a client does, one for each, and are made to take little memory. */
const RESIDENT = ["bridge", "connect"];
/** Node loads what it needs for ES modules when it is given the first file of one: a bridge is none. */
const COMMON_JS = ["bridge"];

await build(join(root, "dist"));

async function build(target: string): Promise<void> {
  const began = performance.now();
  const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PJSON;
  const making = `${target}.${process.pid}`;
  try {
    mkdirSync(making);
    const output = await bundle(making, Object.keys(packageJson.dependencies ?? {}));
    for (const name of DECLARATIONS.filter((each) => present(`schema/${each}`)))
      copyFileSync(join(root, "schema", name), join(making, name));
    const packages = bundledPackages(output);
    writeFileSync(
      join(making, "third-party-licences.txt"),
      packages.map(licence).join(`\n${"-".repeat(80)}\n\n`),
    );
    writeFileSync(join(making, "sbom.cdx.json"), billOfMaterials(packageJson, packages));
    const commands = await writeManifest(making, packageJson);
    rmSync(target, { recursive: true, force: true });
    renameSync(making, target);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`built dist/: ${output.length} files, ${commands} commands, in ${seconds} s`);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

async function bundle(dir: string, external: readonly string[]): Promise<OutputFile[]> {
  const entries = Object.entries(bundleEntries(root)).filter(([, source]) => present(source));
  const alone = entries.filter(([name]) => ALONE.includes(name));
  const others = Object.fromEntries(entries.filter(([name]) => !ALONE.includes(name)));
  const all = [await bundleInto(dir, others, external, true)];
  for (const one of alone)
    all.push(await bundleInto(dir, Object.fromEntries([one]), external, false, RESIDENT.includes(one[0])));
  return all.flatMap(({ output }) => output);
}

type OutputFile = RolldownOutput["output"][number];

async function bundleInto(
  dir: string,
  input: Record<string, string>,
  external: readonly string[],
  codeSplitting: boolean,
  isResident = false,
): Promise<RolldownOutput> {
  const common = new CommonChunk();
  const isCommonJs = Object.keys(input).every((name) => COMMON_JS.includes(name));
  const bundled = await rolldown({
    cwd: root,
    input,
    platform: "node",
    // Its main file cannot be bundled: it gets its parts by a function that is handed to it.
    resolve: { alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" } },
    external: [/^node:/, ...external.map((name) => new RegExp(`^${name}(/|$)`))],
    plugins: [
      common.plugin,
      { name: "own-place", renderChunk: (code, chunk) => atRoot(code, chunk.fileName) },
      ...(isResident ? [{ name: "bare-builtins", renderChunk: bareBuiltins }] : []),
      ...(isCommonJs ? [{ name: "common-js", renderChunk: asCommonJs }] : []),
      ...(codeSplitting ? [] : [{ name: "one-byte", renderChunk: inAscii }]),
    ],
    onLog(level, log) {
      if (level !== "warn" || !log.id?.includes("node_modules")) console.warn(`${level}: ${log.message}`);
    },
  });
  const output = await bundled.write({
    dir,
    format: "esm",
    codeSplitting: codeSplitting && { groups: [{ name: "common", test: (id) => common.has(id) }] },
    entryFileNames: isCommonJs ? "[name].cjs" : "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    // Node keeps the text of what it runs.
    minify: isResident,
    ...(isCommonJs ? { postBanner: '"use strict";' } : {}),
  });
  await bundled.close();
  return output;
}

/**
 * Code that looks for files beside itself must not depend on which chunk it is in: everywhere in the bundle,
 * `import.meta.url` is the URL of a file in dist/ itself.
 */
function atRoot(code: string, fileName: string): string {
  const depth = fileName.split("/").length - 1;
  if (depth === 0) return code;
  const up = "../".repeat(depth);
  return code.replaceAll(/\bimport\.meta\.url\b/g, `new URL("${up}main.js", import.meta.url).href`);
}

/** Node keeps the text of what it runs, and takes twice the room for all of it if one character is no ASCII. */
function inAscii(code: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return code.replace(/[^\0-\x7f]/g, escaped);
}

/**
 * For each module of its own that is imported, Node makes another one that has all of its exports, which loads whatever
 * they are made of. Those that are asked for by a function have no such shadow.
 */
function bareBuiltins(code: string): string {
  return code.replace(
    /^import (?:\* as (\w+)|(\{[^}]*\})) from ("node:[\w/]+");$/gm,
    (_, all, some, name) =>
      `const ${all ?? some.replaceAll(" as ", ": ")} = process.getBuiltinModule(${name});`,
  );
}

/** By hand: what the bundler would make of it copies all that a module of Node has. */
function asCommonJs(code: string): string {
  const own = code
    .replaceAll("import.meta.url", 'process.getBuiltinModule("node:url").pathToFileURL(__filename).href')
    .replace(/^export \{ (\w+) \};$/m, "exports.$1 = $1;");
  if (/^(import|export) /m.test(own)) throw new Error("cannot build: a bridge that is no ES module");
  return own;
}

function present(source: string): boolean {
  if (existsSync(join(root, source))) return true;
  if (!partial) throw new Error(`cannot build: ${source} is missing`);
  console.warn(`not there yet: ${source}`);
  return false;
}

/** With a manifest, oclif shows help and finds a command without loading any other. */
async function writeManifest(dir: string, pjson: PJSON): Promise<number> {
  settings.enableAutoTranspile = false;
  const plugin = new Plugin({
    root: dir,
    pjson,
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  await plugin.load();
  for (const [id, command] of Object.entries(plugin.manifest.commands)) {
    // oclif adds this flag with a text of its own.
    if (command.flags.json) command.flags.json.description = "Print JSON instead of text.";
    for (const [name, flag] of Object.entries(command.flags)) {
      const expected = `XY_${name.toUpperCase().replaceAll("-", "_")}`;
      if (flag.env !== undefined && flag.env !== expected) {
        throw new Error(
          `cannot build: flag --${name} of \`${id}\` reads ${flag.env}: it should be ${expected}`,
        );
      }
    }
  }
  writeFileSync(join(dir, "oclif.manifest.json"), `${JSON.stringify(plugin.manifest)}\n`);
  return Object.keys(plugin.manifest.commands).length;
}

/** Folders of the packages that were bundled, at least partly, sorted. */
function bundledPackages(output: readonly OutputFile[]): string[] {
  const chunks = output.filter((file): file is OutputChunk => file.type === "chunk");
  return [...new Set(chunks.flatMap((chunk) => chunk.moduleIds.flatMap(packageFolder)))].sort();
}

/**
 * What the package consists of, as CycloneDX 1.5: npm's own list has what is installed beside it, not what was bundled.
 * Without times and serial numbers, so that the same sources give the same bytes.
 */
function billOfMaterials({ name, version, dependencies = {} }: PJSON, bundled: readonly string[]): string {
  const folders = [...bundled, ...Object.keys(dependencies).map((each) => join(root, "node_modules", each))];
  const component = (folder: string) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const licenses = license === undefined ? [] : [{ expression: license }];
    return {
      type: "library",
      name,
      version,
      licenses,
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    };
  };
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: { type: "application", name, version, purl: `pkg:npm/${name}@${version}` } },
    components: folders.map(component),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The package's folder of a module in node_modules. */
function packageFolder(moduleId: string): string[] {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(moduleId)?.slice(0, 1) ?? [];
}

function licence(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  return `${name} ${version} (${license})\n${text}`;
}
