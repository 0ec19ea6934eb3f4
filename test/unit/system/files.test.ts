import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  makeWayForFile,
  readJson,
  readRecord,
  readText,
  setAside,
  writeAtomic,
} from "../../../src/system/files.ts";
import { DAMAGES } from "../../rig/damage.ts";

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

const number = (value: unknown) => {
  if (typeof value !== "number") throw new TypeError("no number");
  return value;
};

test.for(DAMAGES)(
  "a record that is %s is none: it is set aside, and can be written again",
  ([how, damage]) => {
    const path = join(dir, "a.json");
    writeAtomic(path, "12345678");
    damage(path);
    const isNumber = how === "gone" || how === "cut in half";
    expect(readRecord(path, number)).toBe(how === "cut in half" ? 1234 : undefined);
    expect(fs.readdirSync(dir).filter((entry) => entry.startsWith("a.json.set-aside-"))).toHaveLength(
      isNumber ? 0 : 1,
    );
    writeAtomic(path, "2");
    expect(readRecord(path, number)).toBe(2);
  },
);

test.for(DAMAGES)(
  "a file that is %s is read as text, or refused with its path and the way out",
  ([, damage]) => {
    const path = join(dir, "a.json");
    writeAtomic(path, "12345678");
    damage(path);
    let said = "";
    try {
      readText(path);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toMatch(/^$|^cannot read \/.*a\.json: it is a .*; move it away, and try again$/);
    makeWayForFile(path);
    writeAtomic(path, "2");
    expect(readText(path)).toBe("2");
  },
);

test("a folder in the place of a file is named when that is written", () => {
  fs.mkdirSync(join(dir, "a.json/full"), { recursive: true });
  expect(() => writeAtomic(join(dir, "a.json"), "1")).toThrow(
    /^cannot write \/.*a\.json: it is a folder, .*move it away/,
  );
});

test("a record that cannot be read for want of something is left where it is", () => {
  writeAtomic(join(dir, "a.json"), "1");
  const short = () => {
    throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  };
  expect(() => readRecord(join(dir, "a.json"), short)).toThrow("EMFILE");
  expect(fs.readdirSync(dir)).toEqual(["a.json"]);
});
