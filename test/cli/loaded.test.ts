import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import * as nodeModule from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { LAUNCHER, newHome } from "./cli.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What is loaded besides where Node can keep compiled code: `dist/compiled.js`. */
const KEEPING = "enableCompileCache" in nodeModule ? ([1, 17, 12] as const) : ([0, 0, 0] as const);
/**
 * Most that `xy list` may load: Node reads and compiles all of it before the first server is shown. When it needs more
 * for a good reason, these are raised.
 */
const MOST = { files: 15 + KEEPING[0], kib: 705 + KEEPING[1], modules: 190 + KEEPING[2] };
/** Large, and of no use to a command that asks the agent and prints a table. */
const NEVER = [
  "chevrotain",
  "croner",
  "diff",
  "fast-xml-parser",
  "handlebars",
  "kdljs",
  "listr2",
  "yaml",
  "zod",
];

/** The modules in a file of dist/: the bundler writes the path of each before its code. */
function modulesIn(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^\/\/ ((?:src|node_modules)\/\S+)$/gm)].map(([, path]) => String(path));
}

/** The package that a module is of; a module of ours is its own. */
function originOf(module: string): string {
  return /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module)?.[1] ?? module;
}

const originsIn = (file: string) => [...new Set(modulesIn(file).map(originOf))].sort();

/** The files that a process of node has loaded, in order, as its record of what it ran names them. */
function loadedFiles(record: string): string[] {
  const { result } = JSON.parse(readFileSync(record, "utf8")) as { result: { url: string }[] };
  return result.flatMap(({ url }) => (url.startsWith("file:") ? [fileURLToPath(url)] : []));
}

it("a list is shown without loading much", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  const records = join(home.path, "records");
  // Any Node writes down there what it ran. Its children would too, but a list starts none.
  const where = { env: { NODE_V8_COVERAGE: records } };
  expect(await home.xyIn(where, "list")).toMatchObject({ code: 0, stdout: expect.stringContaining("web") });
  const names = readdirSync(records);
  expect(names, "processes of node").toHaveLength(1);
  const files = loadedFiles(join(records, String(names[0])));
  expect(files).toContain(LAUNCHER);
  expect(files).toContain(join(ROOT, "dist/commands/list.js"));

  const sizes = files.map((file) => statSync(file).size);
  const loaded = {
    files: files.length,
    kib: Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / 1024),
    modules: files.flatMap(modulesIn).length,
  };
  const report = files.map((file, i) => {
    const kib = ((sizes[i] ?? 0) / 1024).toFixed(1);
    return `${kib.padStart(7)} KiB  ${relative(ROOT, file)}: ${originsIn(file).join(" ")}`;
  });
  const told = `xy list loads ${loaded.files} files, ${loaded.kib} KiB, ${loaded.modules} modules`;
  console.log(told);
  const all = `${told}:\n${report.join("\n")}\n`;
  const origins = files.flatMap(originsIn);
  const unwanted = NEVER.filter((name) => origins.includes(name));
  expect(unwanted, all).toEqual([]);
  for (const what of ["files", "kib", "modules"] as const)
    expect(loaded[what], `${what}: ${all}`).toBeLessThanOrEqual(MOST[what]);
});

it("what a list must not load is found where it is", () => {
  const built = readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" });
  const files = built.filter((file) => file.endsWith(".js")).map((file) => join(ROOT, "dist", file));
  expect([...new Set(files.flatMap(originsIn))]).toEqual(expect.arrayContaining(NEVER));
});

it("a press of Tab is answered by Node and one small file", () => {
  const home = newHome();
  home.declare("web");
  const records = join(home.path, "records");
  const { status, stdout } = spawnSync(
    process.execPath,
    [LAUNCHER, "__complete", "bash", "plan", "--only", ""],
    {
      cwd: home.project,
      env: { ...(home.env as NodeJS.ProcessEnv), NODE_V8_COVERAGE: records },
      encoding: "utf8",
    },
  );
  expect({ status, stdout }).toEqual({ status: 0, stdout: ":names\nweb\t\n" });
  const names = readdirSync(records);
  expect(names, "processes of node").toHaveLength(1);
  const files = loadedFiles(join(records, String(names[0])));
  expect(files.map((file) => relative(ROOT, file))).toEqual(["bin/xy.js", "dist/complete.js"]);
  const answering = join(ROOT, "dist/complete.js");
  const modules = modulesIn(answering);
  const told = `completion loads ${modules.length} modules, ${Math.ceil(statSync(answering).size / 1024)} KiB`;
  console.log(told);
  expect(modules.filter((module) => !module.startsWith("src/"))).toEqual([]);
  expect(modules.length, told).toBeLessThanOrEqual(25);
  expect(statSync(answering).size, told).toBeLessThan(56 * 1024);
});

it("a shim for a client is Node and little else, for as long as the client runs", async () => {
  const home = newHome();
  const records = join(home.path, "records");
  const asked = { env: { NODE_V8_COVERAGE: records } };
  await home.shell(`printf '{"jsonrpc":"2.0","id":1,"method":"ping"}\\n' | xy connect nobody`, asked);
  // What it runs to find the server writes a record too.
  const all = readdirSync(records).map((name) => loadedFiles(join(records, name)));
  const files = all.find((some) => some.includes(join(ROOT, "dist/connect.js"))) ?? [];
  const named = files.map((file) => relative(ROOT, file));
  // Not every Node has what that is for.
  expect(named.filter((file) => file !== "dist/compiled.js")).toEqual(["bin/xy.js", "dist/connect.js"]);
  expect(statSync(join(ROOT, "dist/connect.js")).size).toBeLessThan(64 * 1024);
});
