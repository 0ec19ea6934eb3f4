import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ownDir } from "../../../src/system/paths.ts";

describe("a folder for code that will be run", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "paths-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test("is made for the account alone", () => {
    const path = join(dir, "a/b");
    expect(ownDir(path)).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(ownDir(path)).toBe(path);
  });

  test("is not used when others can write to it, or it is a link or a file", () => {
    chmodSync(dir, 0o777);
    expect(ownDir(dir)).toBeUndefined();
    symlinkSync("/tmp", join(dir, "link"));
    expect(ownDir(join(dir, "link"))).toBeUndefined();
    writeFileSync(join(dir, "file"), "");
    expect(ownDir(join(dir, "file"))).toBeUndefined();
    expect(ownDir(join(dir, "file/below"))).toBeUndefined();
  });
});
