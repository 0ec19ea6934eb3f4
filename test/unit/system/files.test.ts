import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readJson, setAside, writeAtomic } from "../../../src/system/files.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

test("a file is replaced whole, and only its owner may read it", () => {
  const path = join(dir, "a.json");
  writeAtomic(path, "1");
  writeAtomic(path, "2", { durable: true });
  expect(readJson(path)).toBe(2);
  expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  expect(fs.readdirSync(dir)).toEqual(["a.json"]);
});

test("a write that fails leaves the old content, and nothing beside it", () => {
  // A folder stands where the file should go: the last step, the rename, fails.
  const path = join(dir, "taken");
  fs.mkdirSync(join(path, "full"), { recursive: true });
  expect(() => writeAtomic(path, "new")).toThrow();
  expect(fs.readdirSync(dir)).toEqual(["taken"]);
  expect(fs.readdirSync(path)).toEqual(["full"]);
});

test("a file that is not there reads as undefined, junk throws", () => {
  expect(readJson(join(dir, "none"))).toBeUndefined();
  expect(readJson(join(dir, "none/deeper"))).toBeUndefined();
  fs.writeFileSync(join(dir, "junk"), "{");
  expect(() => readJson(join(dir, "junk"))).toThrow();
});

test("what cannot be trusted is kept under another name", () => {
  fs.writeFileSync(join(dir, "state.json"), "{");
  const aside = setAside(join(dir, "state.json"), 5);
  expect(fs.readFileSync(aside, "utf8")).toBe("{");
  expect(fs.readdirSync(dir)).toHaveLength(1);
});
