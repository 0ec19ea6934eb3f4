import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { keepCompiled } from "../../../src/system/compiled.ts";
import {
  privateCache,
  STATE_FOLDER,
  whyNotPrivate,
  whyNotRuntime,
} from "../../../src/system/private-folder.ts";

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "private-")));
});
afterEach(() => rmSync(dir, { recursive: true }));

const folder = (name: string, mode: number): string => {
  const path = join(dir, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
};
const problemOf = (path: string) => whyNotPrivate(path, STATE_FOLDER);

describe("a folder that has to be the account's alone", () => {
  it("may be missing, and is not made where nobody else could make it", () => {
    expect(problemOf(join(dir, "a/b"))).toBeUndefined();
    expect(existsSync(join(dir, "a"))).toBe(false);
  });

  it("is made at once where others could make it first", () => {
    const path = join(folder("sticky", 0o1777), "a/b");
    expect(problemOf(path)).toBeUndefined();
    expect(statSync(join(dir, "sticky/a")).mode & 0o777).toBe(0o700);
    expect(problemOf(path)).toBeUndefined();
  });

  it("is refused when others can write to it, or above it", () => {
    expect(problemOf(folder("open", 0o777))).toContain("others can write to it");
    expect(problemOf(join(dir, "open/a"))).toContain(`others can write to ${dir}/open; run: chmod`);
    mkdirSync(join(dir, "open/b"));
    expect(problemOf(join(dir, "open/b/c"))).toContain(`others can write to ${dir}/open`);
  });

  it("is looked at through links, wherever they lead", () => {
    folder("open", 0o777);
    mkdirSync(join(dir, "open/below"), { mode: 0o700 });
    mkdirSync(join(dir, "own/below"), { recursive: true, mode: 0o700 });
    symlinkSync(join(dir, "own"), join(dir, "absolute"));
    symlinkSync("../own", join(dir, "own/relative"));
    symlinkSync("own/relative/relative/../open", join(dir, "astray"));
    symlinkSync("round", join(dir, "round"));
    symlinkSync("/", join(dir, "top"));
    expect(problemOf(join(dir, "absolute/below"))).toBeUndefined();
    expect(problemOf(join(dir, "own/relative/relative/below"))).toBeUndefined();
    expect(problemOf(join(dir, "astray/below"))).toContain(`others can write to ${dir}/open`);
    expect(problemOf(join(dir, "top", dir, "open"))).toContain(`others can write to ${dir}/open`);
    // What the system refuses is said by whoever uses it.
    expect(problemOf(join(dir, "round/a"))).toBeUndefined();
    writeFileSync(join(dir, "file"), "");
    expect(problemOf(join(dir, "file/a"))).toBeUndefined();
  });

  it("is no place for a socket when others can write there, and need not be there", () => {
    expect(whyNotRuntime(undefined)).toBeUndefined();
    expect(whyNotRuntime(join(dir, "none"))).toBeUndefined();
    expect(whyNotRuntime(folder("readable", 0o755))).toBeUndefined();
    expect(whyNotRuntime(folder("open", 0o1777))).toContain("as the folder of the socket: others can write");
  });
});

describe("a cache", () => {
  it("is made for the account alone, and closed to others", () => {
    const path = join(dir, "a/b");
    expect(privateCache(path)).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    chmodSync(path, 0o755);
    expect(privateCache(path)).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it("is not used when others can write to it, or it is a file", () => {
    expect(privateCache(folder("open", 0o777))).toBeUndefined();
    symlinkSync("/tmp", join(dir, "link"));
    expect(privateCache(join(dir, "link"))).toBeUndefined();
    writeFileSync(join(dir, "file"), "");
    expect(privateCache(join(dir, "file/below"))).toBeUndefined();
  });
});

describe("what Node has compiled", () => {
  const keptIn = (env: Record<string, string>, own?: string) => {
    const folders: string[] = [];
    keepCompiled(env, { enableCompileCache: (path) => folders.push(path), getCompileCacheDir: () => own });
    return folders;
  };

  it("is kept in the account's cache", () => {
    expect(keptIn({ HOME: dir })).toEqual([join(dir, ".cache/xy/compiled")]);
    expect(keptIn({ HOME: dir, XDG_CACHE_HOME: join(dir, "c") })).toEqual([join(dir, "c/xy/compiled")]);
    keepCompiled({ HOME: dir }, {});
  });

  test.each([".cache", "./c", "../c"])("is not taken from the working folder: %s", (path) => {
    expect(keptIn({ HOME: dir, XDG_CACHE_HOME: path })).toEqual([join(dir, ".cache/xy/compiled")]);
  });

  it("is kept nowhere when others can write there, or Node keeps it already", () => {
    expect(keptIn({ HOME: dir, XDG_CACHE_HOME: folder("open", 0o777) })).toEqual([]);
    expect(keptIn({ HOME: dir }, "/elsewhere")).toEqual([]);
  });
});
