import { expect, it } from "vitest";
import { globMatcher } from "../../../src/model/glob.ts";

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
