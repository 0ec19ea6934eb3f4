import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Power } from "../../../src/model/power.ts";
import { isSeen, mayUse, rememberSeen } from "../../../src/operation/consent.ts";
import { agreementOn, agreements, identityOf, revoke } from "../../../src/operation/trust.ts";

let home: string;
let state: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "trust-")));
  state = join(home, "state");
});
afterEach(() => rmSync(home, { recursive: true }));

const secret = (command: string): Power => ({ can: "secret", command, place: { file: "/x" } });

/** Asks, and answers with what was asked and told. */
async function use(named: string, powers: readonly Power[], answer: "yes" | "no" | "trust" | (() => void)) {
  const folder = realpathSync(named);
  const said: string[] = [];
  const may = await mayUse({ named, folder }, powers, {
    state,
    trust: answer === "trust",
    ask: async ({ root, powers: asked }) => {
      said.push(`asked about ${asked.length} in ${root.replace(home, "~")}`);
      if (typeof answer === "function") answer();
      return answer !== "no";
    },
    tell: async (_, unseen) => {
      for (const power of unseen) said.push(`told ${power.can === "secret" && power.command}`);
    },
    unkept: (why) => said.push(why),
  });
  return { may, said };
}

const folderAt = (name: string) => {
  const path = join(home, name);
  mkdirSync(path);
  return path;
};

/** Another folder in the place of this one. */
function replace(path: string): void {
  rmSync(path, { recursive: true });
  mkdirSync(path);
}

describe("an agreement", () => {
  test("is asked for once, and is for the folder, not for its content", async () => {
    const root = folderAt("a");
    expect(await use(root, [secret("x")], "no")).toEqual({ may: false, said: ["asked about 1 in ~/a"] });
    expect(await use(root, [secret("x")], "yes")).toEqual({ may: true, said: ["asked about 1 in ~/a"] });
    expect(await use(root, [secret("x")], "no")).toEqual({ may: true, said: [] });
    writeFileSync(join(root, "more"), "");
    expect(await use(root, [secret("x"), secret("y")], "no")).toEqual({ may: true, said: ["told y"] });
    // Until somebody agrees again.
    expect(await use(root, [secret("x"), secret("y")], "no")).toMatchObject({ said: ["told y"] });
    expect(await use(root, [secret("x"), secret("y")], "trust")).toEqual({ may: true, said: [] });
    expect(await use(root, [secret("x"), secret("y")], "no")).toMatchObject({ said: [] });
  });

  test("is not needed where nothing can be run or sent, and then not given either", async () => {
    const root = folderAt("a");
    expect(await use(root, [], "no")).toEqual({ may: true, said: [] });
    expect(await use(root, [secret("x")], "no")).toMatchObject({ may: false });
    expect(await use(root, [], "trust")).toMatchObject({ may: true });
    expect(await use(root, [secret("x")], "no")).toEqual({ may: true, said: ["told x"] });
  });

  test("does not hold for another folder in the same place, nor for this one in another place", async () => {
    const root = folderAt("a");
    await use(root, [secret("x")], "yes");
    renameSync(root, join(home, "b"));
    expect(await use(join(home, "b"), [secret("x")], "no")).toMatchObject({ may: false });
    mkdirSync(root);
    expect(await use(root, [secret("x")], "no")).toMatchObject({ may: false });
    // Often with the inode of the one that was removed.
    for (let tries = 0; tries < 20; tries++) {
      await use(root, [secret("x")], "yes");
      replace(root);
      expect(await use(root, [secret("x")], "no")).toMatchObject({ may: false });
    }
  });

  test("is refused when the folder is replaced between question and answer", async () => {
    const root = folderAt("a");
    expect(await use(root, [secret("x")], () => replace(root))).toMatchObject({ may: false });
    expect(agreements(state)).toEqual([]);
    expect(await use(root, [secret("x")], () => rmSync(root, { recursive: true }))).toMatchObject({
      may: false,
    });
  });

  test("is listed and revoked, whatever has become of the folder", async () => {
    for (const name of ["b", "a"]) await use(folderAt(name), [secret("x")], "yes");
    replace(join(home, "b"));
    const listed = () => agreements(state).map(({ path, isThere }) => [path.replace(home, "~"), isThere]);
    expect(listed()).toEqual([
      ["~/a", true],
      ["~/b", false],
    ]);
    expect(revoke(state, join(home, "a"))).toBe(true);
    expect(revoke(state, join(home, "a"))).toBe(false);
    expect(await use(join(home, "a"), [secret("x")], "no")).toMatchObject({ may: false });
    expect(listed()).toEqual([["~/b", false]]);
  });

  test("is revoked by whatever name the folder goes, and by all of them", async () => {
    const root = folderAt("a");
    const alias = join(home, "alias");
    symlinkSync(root, alias);
    await use(root, [secret("x")], "yes");
    expect(revoke(state, alias)).toBe(true);
    expect(agreements(state)).toEqual([]);
    expect(revoke(state, alias)).toBe(false);
    expect(revoke(state, join(home, "nowhere"))).toBe(false);
  });

  test("that is torn agrees to nothing, and is put aside", async () => {
    const root = folderAt("a");
    await use(root, [secret("x")], "yes");
    const [file = ""] = readdirSync(join(state, "trust"));
    writeFileSync(join(state, "trust", file), '{"version": 1, "pa');
    expect(await use(root, [secret("x")], "no")).toMatchObject({ may: false });
    expect(readdirSync(join(state, "trust"))).toEqual([expect.stringContaining(".set-aside-")]);
  });
});

describe("what a folder is known by", () => {
  test("is its inode and time of birth, and neither its device nor what is in it", () => {
    const folder = folderAt("a");
    const before = identityOf({ named: folder, folder });
    writeFileSync(join(folder, "x"), "");
    chmodSync(folder, 0o700);
    expect(before).toEqual({
      inode: String(statSync(folder).ino),
      born: String(statSync(folder, { bigint: true }).birthtimeNs),
    });
    expect(identityOf({ named: folder, folder })).toEqual(before);
  });

  test.runIf(process.platform === "linux")(
    "is its owner where the file system knows no time of birth",
    () => {
      expect(identityOf({ named: "/proc", folder: "/proc" })).toEqual({ owner: 0 });
    },
  );

  test.runIf(process.getuid?.() === 0)(
    "is its link where that leads to what only root can write, as in a Nix store",
    () => {
      for (const name of ["store-1", "store-2", "open", "theirs"]) folderAt(name);
      chmodSync(join(home, "open"), 0o775);
      chownSync(join(home, "theirs"), 1000, 1000);
      const link = join(home, "link");
      const known = (target: string) => {
        if (existsSync(link)) unlinkSync(link);
        symlinkSync(target, link);
        return identityOf({ named: link, folder: realpathSync(link) });
      };
      expect(known("store-1")).toEqual({ link: "root" });
      expect(known("store-2")).toEqual({ link: "root" });
      expect(known("open")).toMatchObject({ inode: expect.any(String) });
      // Only the path's own link counts, and only where nobody else could have made it.
      mkdirSync(join(home, "store-1/inner"));
      known("store-1");
      expect(identityOf({ named: join(link, "inner"), folder: join(home, "store-1/inner") })).toMatchObject({
        inode: expect.any(String),
      });
      folderAt("shared");
      const shared = join(home, "shared/link");
      symlinkSync("../store-1", shared);
      expect(identityOf({ named: shared, folder: realpathSync(shared) })).toEqual({ link: "root" });
      chmodSync(join(home, "shared"), 0o777);
      expect(identityOf({ named: shared, folder: realpathSync(shared) })).toMatchObject({
        inode: expect.any(String),
      });
      expect(known("theirs")).toMatchObject({ inode: expect.any(String) });
    },
  );
});

describe("a state folder of an earlier version", () => {
  function recordProject(project: string, config: string): void {
    mkdirSync(join(state, "projects", project), { recursive: true });
    const record = { version: 1, root: config, config, ports: {} };
    writeFileSync(join(state, "projects", project, "project.json"), JSON.stringify(record));
  }

  test("keeps what was agreed to and applied, without a remark", async () => {
    const [program, applied, other] = ["program", "applied", "other"].map(folderAt) as [
      string,
      string,
      string,
    ];
    recordProject("one", applied);
    writeFileSync(join(state, "trusted.json"), JSON.stringify([join(program, "xy.config.ts")]));
    for (const root of [program, applied])
      expect(await use(root, [secret("x")], "no")).toEqual({ may: true, said: [] });
    expect(await use(other, [secret("x")], "no")).toMatchObject({ may: false });
    expect(revoke(state, applied)).toBe(true);
    expect(await use(applied, [secret("x")], "no")).toMatchObject({ may: false });
    expect(readdirSync(state).sort()).toEqual(["projects", "trust", "trusted.json"]);
  });

  test("is none when this version has recorded its projects", async () => {
    const root = folderAt("a");
    rememberSeen(state, undefined);
    recordProject("one", root);
    expect(await use(root, [secret("x")], "no")).toMatchObject({ may: false });
  });
});

test("a plan that was applied lets servers start unasked, and nothing else", async () => {
  const folder = folderAt("a");
  const origin = { named: folder, folder };
  expect(isSeen(state, origin)).toBe(false);
  rememberSeen(state, origin);
  expect(isSeen(state, origin)).toBe(true);
  expect(agreementOn(state, origin)).toMatchObject({ to: "servers" });
  expect(await use(folder, [secret("x")], "no")).toMatchObject({ may: false });
  await use(folder, [secret("x")], "yes");
  rememberSeen(state, origin);
  expect(agreementOn(state, origin)).toMatchObject({ to: "all", seen: true });
  replace(folder);
  expect(isSeen(state, origin)).toBe(false);
});
