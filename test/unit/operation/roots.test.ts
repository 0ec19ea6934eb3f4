import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { movedHere } from "../../../src/operation/left-behind.ts";
import { bindProject, boundElsewhere } from "../../../src/operation/project.ts";
import {
  appliedAs,
  formerNames,
  type Here,
  nameOfRoot,
  ownName,
  projectsHere,
} from "../../../src/operation/roots.ts";
import {
  leadsToSame,
  lostRoots,
  type ProjectRecord,
  readProject,
  writeProject,
} from "../../../src/system/projects.ts";

let home: string;
let state: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "roots-")));
  state = join(home, "state");
});
afterEach(() => rmSync(home, { recursive: true }));

const at = (path: string) => join(home, path);
const folder = (path: string) => {
  mkdirSync(at(path), { recursive: true });
  return at(path);
};
const file = (path: string) => {
  folder(dirname(path));
  writeFileSync(at(path), "");
  return at(path);
};
const link = (path: string, target: string) => {
  folder(dirname(path));
  rmSync(at(path), { force: true });
  symlinkSync(target.startsWith("/") ? target : at(target), at(path));
  return at(path);
};
/** A root as it is found when this is typed: a folder, or a file that is a configuration by itself. */
function found(typed: string, { isFile = false, main = "" } = {}): Here {
  const name = nameOfRoot(state, at(typed));
  const root = isFile ? dirname(name) : name;
  return { root, config: main ? join(root, main) : name, place: realpathSync(root) };
}
const bind = (project: string, here: Here, now = 1) => bindProject(state, project, here, { ports: {}, now });
/** What an earlier version has recorded. */
const earlier = (project: string, root: string, config = root) =>
  writeProject(state, project, { root, config, ports: {}, asked: true } as ProjectRecord);
const belongs = (project: string, here: Here) => boundElsewhere(state, project, here) === undefined;

describe("two paths that lead to the same place", () => {
  test("do so through links, also broken ones that lead nowhere", () => {
    folder("a/b");
    link("l", "a");
    expect(leadsToSame(at("a/b"), at("l/b"))).toBe(true);
    expect(leadsToSame(at("a/b"), at("a/b/"))).toBe(true);
    expect(leadsToSame(at("a/b"), at("a"))).toBe(false);
    link("nowhere", "none");
    expect(leadsToSame(at("nowhere"), at("nowhere"))).toBe(false);
  });
});

describe("the name of a root", () => {
  test("is the one that was typed, through whatever links", () => {
    folder("real/x");
    link("l", "real");
    link("m", "l");
    for (const typed of ["real/x", "l/x", "m/x"]) expect(nameOfRoot(state, at(typed))).toBe(at(typed));
  });

  test("is that which a project was bound to first", () => {
    folder("real/x");
    link("l", "real/x");
    bind("p", found("l"));
    expect(nameOfRoot(state, at("real/x"))).toBe(at("l"));
    // Once it leads elsewhere it is the name of that.
    folder("other");
    link("l", "other");
    expect(nameOfRoot(state, at("real/x"))).toBe(at("real/x"));
    expect(nameOfRoot(state, at("other"))).toBe(at("l"));
  });

  test("is its real path where somebody else could turn a link on the way", () => {
    folder("real/x");
    link("open/l", "real");
    chmodSync(at("open"), 0o777);
    expect(ownName(at("open/l/x"))).toBe(at("real/x"));
    chmodSync(at("open"), 0o1777);
    expect(ownName(at("open/l/x"))).toBe(at("open/l/x"));
    chmodSync(at("open"), 0o777);
    // Nor does a name of that kind count that was bound when it was not so.
    bind("p", { root: at("open/l/x"), config: at("open/l/x"), place: at("real/x") });
    expect(nameOfRoot(state, at("real/x"))).toBe(at("real/x"));
    expect(nameOfRoot(state, at("open/l/x"))).toBe(at("real/x"));
  });

  test("is a file's own, also where that is a link into a store", () => {
    file("store/1.kdl");
    link("conf/work.kdl", "store/1.kdl");
    expect(nameOfRoot(state, at("conf/work.kdl"))).toBe(at("conf/work.kdl"));
  });
});

describe("a project that is bound", () => {
  test("is bound to the name, whatever that leads to", () => {
    folder("store/1");
    folder("store/2");
    link("l", "store/1");
    bind("p", found("l"));
    link("l", "store/2");
    rmSync(at("store/1"), { recursive: true });
    expect(belongs("p", found("l"))).toBe(true);
    expect(readProject(state, "p")?.former).toBeUndefined();
    folder("clone");
    expect(boundElsewhere(state, "p", found("clone"))).toEqual({
      bound: at("l"),
      here: at("clone"),
      isGone: false,
    });
  });

  test("is found where its link led to last, once that is gone", () => {
    folder("real");
    link("l", "real");
    bind("p", found("l"));
    unlinkSync(at("l"));
    const here = found("real");
    expect(belongs("p", here)).toBe(true);
    bind("p", here);
    expect(readProject(state, "p")).toMatchObject({
      root: at("real"),
      former: [{ from: at("l"), to: at("real") }],
    });
    folder("other");
    expect(belongs("p", found("other"))).toBe(false);
  });

  test("does not come along with a folder that is moved", () => {
    folder("a");
    bind("p", found("a"));
    renameSync(at("a"), at("b"));
    expect(boundElsewhere(state, "p", found("b"))).toMatchObject({ bound: at("a"), isGone: true });
    expect(movedHere(state, found("b"))).toEqual([{ project: "p", movedFrom: at("a") }]);
    // Another folder in its place is what the name means now.
    folder("a");
    expect(movedHere(state, found("b"))).toEqual([]);
  });

  test("is told from a copy, from another file, and not at all by an earlier record", () => {
    file("f/work.kdl");
    file("f/other.kdl");
    bind("p", found("f/work.kdl", { isFile: true }));
    renameSync(at("f"), at("g"));
    const work = found("g/work.kdl", { isFile: true });
    expect(movedHere(state, work)).toEqual([{ project: "p", movedFrom: at("f/work.kdl") }]);
    for (const other of [found("g/other.kdl", { isFile: true }), found("g")])
      expect(movedHere(state, other)).toEqual([]);
    const { folder: _, ...earlier } = readProject(state, "p") as ProjectRecord;
    writeProject(state, "p", earlier);
    expect(movedHere(state, work)).toEqual([]);
    bind("q", found("g"));
    cpSync(at("g"), at("copy"), { recursive: true });
    rmSync(at("g"), { recursive: true });
    expect(movedHere(state, found("copy"))).toEqual([]);
  });

  test("is bound to its file where that is a configuration by itself", () => {
    file("f/work.kdl");
    file("f/private.kdl");
    const [work, other] = [found("f/work.kdl", { isFile: true }), found("f/private.kdl", { isFile: true })];
    bind("p", work);
    expect(belongs("p", work)).toBe(true);
    expect(belongs("p", other)).toBe(false);
    expect(projectsHere(state, other)).toEqual([]);
    // The name says that it is the same one; without it nobody knows.
    renameSync(at("f/work.kdl"), at("f/new.kdl"));
    const moved = found("f/new.kdl", { isFile: true });
    expect(belongs("p", moved)).toBe(true);
    expect(appliedAs(state, moved, ["p"])).toBeUndefined();
    file("f/work.yaml");
    expect(appliedAs(state, found("f/work.yaml", { isFile: true }), ["p"])).toBe("p");
  });

  test("is bound to one of several main files", () => {
    file("f/xy.config.kdl");
    file("f/xy.config.yaml");
    const [kdl, yaml] = ["xy.config.kdl", "xy.config.yaml"].map((main) => found("f", { main })) as [
      Here,
      Here,
    ];
    bind("p", kdl);
    expect([belongs("p", kdl), belongs("p", yaml)]).toEqual([true, false]);
    unlinkSync(at("f/xy.config.kdl"));
    expect(belongs("p", yaml)).toBe(true);
    expect(belongs("p", found("f"))).toBe(true);
  });

  test("comes first where it was applied last", () => {
    folder("f");
    bind("one", found("f"), 1);
    bind("two", found("f"), 2);
    expect(projectsHere(state, found("f")).map(({ project }) => project)).toEqual(["two", "one"]);
    bind("one", found("f"), 3);
    expect(projectsHere(state, found("f")).map(({ project }) => project)).toEqual(["one", "two"]);
  });
});

describe("a project of an earlier version", () => {
  test("is bound to the place that it was applied from, and then to its name", () => {
    folder("store/1/xy");
    link("conf", "store/1");
    earlier("p", at("store/1/xy"));
    const here = found("conf/xy");
    expect(here.root).toBe(at("conf/xy"));
    expect(belongs("p", here)).toBe(true);
    // Of what is above, the names are known too.
    const former = [{ from: at("store/1"), to: at("conf") }];
    expect(formerNames(readProject(state, "p"), here)).toEqual(former);
    bind("p", here);
    folder("store/2/xy");
    link("conf", "store/2");
    rmSync(at("store/1"), { recursive: true });
    expect(belongs("p", found("conf/xy"))).toBe(true);
    bind("p", found("conf/xy"));
    expect(readProject(state, "p")).toMatchObject({ former, place: at("store/2/xy") });
  });

  test("is another when its place has gone before anybody has looked, unless --config was given", () => {
    folder("store/2");
    link("l", "store/2");
    earlier("p", at("store/1"));
    expect(boundElsewhere(state, "p", found("l"))).toMatchObject({ bound: at("store/1"), isGone: true });
    earlier("p", at("store/1"), at("l"));
    expect(belongs("p", found("l"))).toBe(true);
    expect(formerNames(readProject(state, "p"), found("l"))).toEqual([{ from: at("store/1"), to: at("l") }]);
  });

  test("is a later build of the same where a person says so, and of nothing that can be written to", () => {
    folder("store/2");
    link("l", "store/2");
    earlier("p", at("store/1"));
    const names = (adopts: boolean) => formerNames(readProject(state, "p"), found("l"), adopts);
    expect([names(false), names(true)]).toEqual([[], []]);
    chmodSync(at("store/2"), 0o555);
    expect([names(false), names(true)]).toEqual([[], [{ from: at("store/1"), to: at("l") }]]);
    folder("store/1");
    expect(names(true)).toEqual([]);
    chmodSync(at("store/1"), 0o555);
    expect(names(true)).toHaveLength(1);
  });

  test("keeps the name that the folder of its single file gave it", () => {
    file("tools/work.kdl");
    file("tools/private.kdl");
    earlier("tools", at("tools"), at("tools/work.kdl"));
    const [work, other] = [
      found("tools/work.kdl", { isFile: true }),
      found("tools/private.kdl", { isFile: true }),
    ];
    expect(appliedAs(state, work, ["work", "tools"])).toBe("tools");
    expect(appliedAs(state, other, ["private", "tools"])).toBeUndefined();
    bind("tools", work);
    expect(appliedAs(state, work, ["work", "tools"])).toBe("tools");
  });
});

test("former names do not grow when names take turns", () => {
  folder("real");
  earlier("p", at("real"));
  for (let turn = 0; turn < 5; turn++)
    for (const name of ["l", "m"]) {
      link(name, "real");
      bind("p", found(name));
      unlinkSync(at(name));
    }
  expect(readProject(state, "p")?.former?.length).toBeLessThanOrEqual(2);
});

test("the file of a project that is gone is told as its folder is", () => {
  file("f/work.kdl");
  bind("p", found("f/work.kdl", { isFile: true }));
  folder("state/projects/p/servers/web/run");
  expect(lostRoots(state)).toEqual([]);
  unlinkSync(at("f/work.kdl"));
  expect(lostRoots(state)).toEqual([{ project: "p", root: at("f/work.kdl") }]);
});
