import { describe, expect, it } from "vitest";
import { matcher, nothingSelected, partsOf, type Selectable, selector } from "../../../src/model/selector.ts";

/** The same, as slow and as plain as can be. */
function fits(pattern: string, text: string): boolean {
  const [first, rest] = [pattern[0], pattern.slice(1)];
  if (first === undefined) return text === "";
  if (first === "*") return fits(rest, text) || (text !== "" && fits(pattern, text.slice(1)));
  if (text === "") return false;
  const end = first === "[" ? pattern.indexOf("]", 2) : -1;
  if (end === -1) return (first === "?" || first === text[0]) && fits(rest, text.slice(1));
  const inside = pattern.slice(1, end);
  const isNot = inside.startsWith("!");
  const isIn = (isNot ? inside.slice(1) : inside).includes(text[0] as string);
  return isIn !== isNot && fits(pattern.slice(end + 1), text.slice(1));
}

/** All texts of these pieces, up to so many. */
function textsOf(pieces: readonly string[], most: number): string[] {
  const all = [""];
  for (let length = 0, from = 0; length < most; length++) {
    const to = all.length;
    for (; from < to; from++) for (const piece of pieces) all.push(all[from] + piece);
  }
  return all;
}

describe("a word selects", () => {
  it("the names that a plain reading of its pattern fits", () => {
    const names = textsOf(["a", "b", "-"], 4);
    for (const pattern of textsOf(["a", "-", "*", "?", "[ab]", "[!a]"], 4)) {
      const isMeant = matcher(pattern);
      const expected = names.filter((name) => fits(pattern, name));
      expect(
        names.filter((name) => isMeant(name)),
        pattern,
      ).toEqual(expected);
    }
  });

  it("by tag, by name and by pattern, and nothing by a word of another kind", () => {
    const all: Selectable[] = [
      { name: "web-1", tags: ["front", "db/a"] },
      { name: "web-2", tags: [] },
      { name: "tag", tags: ["web-2", "[odd]"] },
    ];
    const named = (word: string) => all.filter(selector(word)).map(({ name }) => name);
    expect(named("web-1")).toEqual(["web-1"]);
    expect(named("web-*")).toEqual(["web-1", "web-2"]);
    expect(named("tag:front")).toEqual(["web-1"]);
    expect(named("tag:web-2")).toEqual(["tag"]);
    expect(named("tag:*")).toEqual(["web-1", "tag"]);
    expect(named("tag:db/*")).toEqual(["web-1"]);
    expect(named("tag:[odd]")).toEqual(["tag"]);
    expect(named("tag:")).toEqual([]);
    expect(named("")).toEqual([]);
  });

  it("in time of its length, whatever it repeats", () => {
    expect(matcher(`${"*a".repeat(2000)}b`)("a".repeat(126))).toBe(false);
  });
});

it("finds the project in a word, and none in a tag", () => {
  expect(partsOf("tools/web-*")).toEqual({ project: "tools", rest: "web-*" });
  expect(partsOf("*/tag:x")).toEqual({ project: "*", rest: "tag:x" });
  expect(partsOf("tag:db/a")).toEqual({ rest: "tag:db/a" });
  expect(partsOf("web")).toEqual({ rest: "web" });
  expect(partsOf("/web")).toEqual({ rest: "/web" });
});

it("says what there is where a word selects nothing", () => {
  const all = [
    { name: "web", tags: ["front", "mcp"] },
    { name: "db", tags: [] },
  ];
  expect(nothingSelected("tag:fromt", all)).toBe('no server has this tag; did you mean "tag:front"?');
  expect(nothingSelected("tag:zzz", all)).toBe("no server has this tag; known tags: front, mcp");
  expect(nothingSelected("tag:x", [])).toBe(
    "no server has this tag; none has any tags; add `tags` to its configuration and apply",
  );
  expect(nothingSelected("wbe*", all)).toBe('no server has such a name; did you mean "web"?');
  expect(nothingSelected("x-*", all, ["server", "action"])).toBe(
    "no server or action has such a name; known servers and actions: web, db",
  );
  expect(nothingSelected("x", [])).toBe("no such server; known servers: none");
  const many = Array.from({ length: 12 }, (_, i) => ({ name: `server-${i}`, tags: [] }));
  expect(nothingSelected("x-*", many)).toMatch(/server-9, and 2 more$/);
});
