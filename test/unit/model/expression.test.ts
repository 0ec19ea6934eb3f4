import { describe, expect, test } from "vitest";
import { LONGEST_MATCHED, UNSUPPORTED, understood } from "../../../src/model/expression.ts";

async function matches(pattern: string, line: string): Promise<boolean | string> {
  const found = await understood(pattern);
  return found.ok ? found.expression.test(line) : found.fault;
}

describe("a pattern", () => {
  test.each([
    ["^listening on \\d+$", "listening on 8080", true],
    ["^listening on \\d+$", "now listening on 8080", false],
    ["READY", "ready", false],
    ["(?i)READY", "ready", true],
    ["(?<name>a+)b", "aab", true],
    ["[^]x", "\nx", true],
    ["\\u0041\\x42\\cJ", "AB\n", true],
    ["[\\b]", "\b", true],
    ["\\\\1", "\\1", true],
    ["[(?=)]", "=", true],
    ["\\(\\?=", "(?=", true],
    ["\\p{Greek}\\p{L}", "αb", true],
    ["ä.*ü", "xäyüz", true],
    ["💡", "a 💡", true],
    ["", "anything", true],
  ] as const)("%j on %j: %j", async (pattern, line, expected) => {
    expect(await matches(pattern, line)).toBe(expected);
  });

  test.each([
    ["a(?=b)", /^a lookahead, \(\?=…\), cannot be used: /],
    ["a(?!b)", /^a negative lookahead/],
    ["(?<=a)b", /^a lookbehind/],
    ["(?<!a)b", /^a negative lookbehind/],
    ["(a)\\1", /^a back-reference/],
    ["(?<n>a)\\k<n>", /^a named back-reference/],
    ["\\p{Script=Greek}", /^a property with a value.*\\p\{Greek\}$/],
    ["\\P{sc=Greek}", /^a property with a value/],
    ["(a", /^missing closing \).*; correct it$/],
    ["a{1001}", /^invalid repeat count.*; correct it$/],
    ["((a{50}){20})*", /^it repeats too much/],
  ] as const)("%j is refused, with what and a way", async (pattern, fault) => {
    expect(await matches(pattern, "")).toMatch(fault);
  });

  test("says of each unsupported construct what it is", async () => {
    for (const { syntax, name } of UNSUPPORTED)
      expect(
        await matches(`(a)(?<x>b)${syntax.replace("…", syntax.includes("p{") ? "Greek" : "x")}`, ""),
      ).toContain(name);
  });

  test.each(["[", "[a", "(", "\\p{", "a|", "(?:", "a*"])(
    "100,000 times %j is refused at once, in few words",
    async (part) => {
      const found = await understood(part.repeat(100_000));
      expect(found).toMatchObject({ ok: false, fault: expect.stringMatching(/^it has more than/) });
      const shorter = await understood(`(${part.repeat(1000)}`);
      expect(shorter).toMatchObject({ ok: false, fault: expect.stringMatching(/^.{10,200}$/s) });
    },
  );

  test("looks at the beginning of a long line alone", async () => {
    expect(await matches("x", `${" ".repeat(LONGEST_MATCHED - 1)}x`)).toBe(true);
    expect(await matches("x", `${" ".repeat(LONGEST_MATCHED)}x`)).toBe(false);
  });
});
