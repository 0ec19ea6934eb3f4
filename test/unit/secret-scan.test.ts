import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { exposedIn, holdsWord, SECRET_WORD, SweptFolder, writingsOf } from "../rig/secret-scan.ts";

const TESTS = join(import.meta.dirname, "..");
const VALUE = `a-${SECRET_WORD}-value`;

let home: SweptFolder;
beforeEach(() => {
  home = new SweptFolder();
});
afterEach(() => {
  // What was planted is meant to be there.
  home.allow(home.path);
  for (const name of readdirSync(home.path)) home.allow(join(home.path, name));
  home.remove();
});

/** As xy, or a server, would write it: nobody has told the sweep of it. */
function plant(file: string, content: string | Buffer, mode = 0o600): void {
  const path = join(home.path, file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
}

const found = () => home.exposed().map((path) => relative(home.path, path));

const base64 = (text: string) => Buffer.from(text).toString("base64");
it.each([
  ["plain", VALUE],
  ["base64, from the start", base64(`${SECRET_WORD}-value`)],
  ["base64, one byte in", base64(`x${SECRET_WORD}-value`)],
  ["base64, two bytes in", base64(`xy${SECRET_WORD}-value`)],
  ["hexadecimal", Buffer.from(VALUE).toString("hex")],
  ["a URL", Buffer.from(VALUE).toString("hex").replace(/../g, "%$&")],
])("a planted secret is found: %s", (_, text) => {
  plant("state/agent.log", Buffer.concat([Buffer.from([0, 255]), Buffer.from(`before ${text} after`)]));
  plant("state/other", "nothing of it");
  expect(found()).toEqual(["state/agent.log"]);
});

it("the digits that are looked for are those of the word alone", () => {
  expect(writingsOf(SECRET_WORD).slice(0, 5)).toEqual([
    SECRET_WORD,
    "czNjcjN0",
    "MzY3Izd",
    "zM2NyM3",
    "733363723374",
  ]);
});

it("a secret is found in a name and in a link", () => {
  plant(VALUE, "");
  symlinkSync(`/nowhere/${VALUE}`, join(home.path, "link"));
  expect(found().sort()).toEqual([VALUE, "link"].sort());
});

it("a file that is meant for secrets may hold them, if nobody else can read it and none is of old", () => {
  const spec = "xy/projects/p/servers/web/spec.json";
  plant(spec, VALUE);
  plant("xy/projects/p/units/systemd/web.env", VALUE);
  expect(found()).toEqual([]);
  plant(spec, VALUE, 0o640);
  expect(found()).toEqual([spec]);
  plant(spec, base64(`${SECRET_WORD}-old-value`), 0o600);
  expect(found()).toEqual([spec]);
  plant(`${spec}.set-aside-1`, VALUE);
  expect(found()).toContain(`${spec}.set-aside-1`);
});

it("what the test writes or allows is its own", () => {
  home.write("token", VALUE);
  plant("runs/of-a-server", VALUE);
  expect(found()).toEqual(["runs/of-a-server"]);
  home.allow(join(home.path, "runs"));
  expect(found()).toEqual([]);
});

it("a folder is not removed silently with a secret in it, nor after one was printed", () => {
  const folders = [new SweptFolder(), new SweptFolder()] as const;
  writeFileSync(join(folders[0].path, "file"), VALUE);
  expect(() => folders[0].remove()).toThrow(/should not: .*file/);
  folders[1].printed("xy list", `web ${base64(VALUE)}`);
  expect(() => folders[1].remove()).toThrow("a secret was printed by: xy list");
  for (const { path } of folders) expect(() => exposedIn(path)).toThrow("ENOENT");
  expect(holdsWord("nothing")).toBe(false);
});

/** They make no home of xy: programs to run, and a folder that all accounts can write to. */
const OTHERWISE = [
  "launcher.test.ts",
  "package.test.ts",
  "second-account.test.ts",
  "upgrade.test.ts",
  "versions.test.ts",
];

it("every home of the tests is one that is searched", () => {
  const files = ["cli", "contract", "real", "rig"].flatMap((folder) =>
    readdirSync(join(TESTS, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(TESTS, folder, entry.name)),
  );
  const making = files.filter((file) => readFileSync(file, "utf8").includes("mkdtempSync("));
  const rig = ["leftovers.ts", "reader-worker.mjs", "readers.ts", "secret-scan.ts"];
  expect(making.map((file) => basename(file)).sort()).toEqual([...OTHERWISE, ...rig].sort());
});
