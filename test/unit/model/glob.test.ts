import { expect, it } from "vitest";
import { globMatcher, matchesTokens, tokensOf } from "../../../src/model/glob.ts";

it.each([
  ["*", ["", "a", "a.b"], []],
  ["a*", ["a", "ab"], ["ba", ""]],
  ["*a", ["a", "ba"], ["ab"]],
  ["a*b*c", ["abc", "axxbxxc", "abbcc"], ["acb", "ab", "abcd"]],
  ["a?c", ["abc", "a💡c"], ["ac", "abbc"]],
  ["a.c", ["a.c"], ["abc"]],
  ["web", ["web"], ["web2", "aweb"]],
  ["*a*a", ["aa", "bab a"], ["a"]],
  ["", [""], ["a"]],
])("%s", (pattern, yes, no) => {
  const matches = globMatcher(pattern);
  expect(yes.filter((text) => !matches(text))).toEqual([]);
  expect(no.filter(matches)).toEqual([]);
});

it("takes no longer for a pattern that fits nowhere", () => {
  expect(globMatcher(`${"a*".repeat(90)}b`)("a".repeat(2000))).toBe(false);
});

it.each(["[", "[a", "*[", "[!"])("reads a pattern of 100,000 times %j at once", (part) => {
  expect(matchesTokens(tokensOf(`${part.repeat(100_000)}b`), "web")).toBe(false);
});
