import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expandGlob, matchesName } from "../../../../src/config/find/glob.ts";
import { folderWith } from "../rig.ts";

it.each<[pattern: string, yes: string[], no: string[]]>([
  ["*.kdl", ["a.kdl", "a.b.kdl"], [".kdl", "a.kdl~", ".a.kdl", "a.yaml"]],
  ["a?c", ["abc", "a😀c"], ["ac", "abbc"]],
  ["[ab]*", ["a", "bx"], ["c"]],
  ["[!a-c]", ["d"], ["a", "b", "c", "dd"]],
  ["[^a]", ["b"], ["a"]],
  ["[]x]", ["]", "x"], ["a"]],
  ["a[b", ["a[b"], ["ab"]],
  [".*", [".a"], ["a"]],
  ["a+(b)$", ["a+(b)$"], ["aab"]],
  ["*a*b*", ["xaxbx", "ab"], ["ba"]],
  ["*", ["a", ""], [".a"]],
])("%s means %j, and not %j", (pattern, yes, no) => {
  expect(yes.filter((name) => !matchesName(pattern, name))).toEqual([]);
  expect(no.filter((name) => matchesName(pattern, name))).toEqual([]);
});

it("ends soon for stars without end", () => {
  expect(matchesName(`${"*a".repeat(120)}b`, "a".repeat(255))).toBe(false);
});

describe("paths", () => {
  it("are those that are there, in name order", () => {
    const folder = folderWith({
      "b/x.kdl": "",
      "a/x.kdl": "",
      "a/y.kdl": "",
      "a/n/x.kdl": "",
      "a/.h/x.kdl": "",
    });
    const found = (pattern: string) =>
      expandGlob(join(folder, pattern))?.map((path) => path.slice(folder.length + 1));
    expect(found("*/x.kdl")).toEqual(["a/x.kdl", "b/x.kdl"]);
    expect(found("a/*.kdl")).toEqual(["a/x.kdl", "a/y.kdl"]);
    expect(found("**/y.kdl")?.filter((path) => path === "a/y.kdl")).toEqual(["a/y.kdl"]);
    expect(found("**/*.kdl")).toEqual(["a/x.kdl", "a/y.kdl", "a/n/x.kdl", "b/x.kdl"]);
    expect(found("none/*.kdl")).toEqual([]);
  });

  it("are not followed through links for ever, and not looked for without end", () => {
    const folder = folderWith({ "a/x.kdl": "" });
    symlinkSync("..", join(folder, "a/up"));
    expect(expandGlob(join(folder, "**/*.kdl"))).toEqual([join(folder, "a/x.kdl")]);
    for (let i = 0; i < 101; i++) {
      mkdirSync(join(folder, `d${i}`));
      for (let j = 0; j < 100; j++) mkdirSync(join(folder, `d${i}/${j}`));
    }
    expect(expandGlob(join(folder, "**/*.kdl"))).toBeUndefined();
  });
});
