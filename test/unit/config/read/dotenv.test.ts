import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDotenv } from "../../../../src/config/read/dotenv.ts";
import { ANY_CHARACTER } from "../../../rig/any-character.ts";

describe("dotenv", () => {
  it.each<[string, Record<string, string>]>([
    ["A=1", { A: "1" }],
    ["A=1\r\nB=2\r\n", { A: "1", B: "2" }],
    ["\uFEFFA=1", { A: "1" }],
    ["export A=1", { A: "1" }],
    ["  A = 1  ", { A: "1" }],
    ["A=", { A: "" }],
    ["A=\nB=2", { A: "", B: "2" }],
    ["A=a b", { A: "a b" }],
    ["A=a=b", { A: "a=b" }],
    ["A=a#b", { A: "a#b" }],
    ["A=a # b", { A: "a" }],
    ["A=# b", { A: "" }],
    ["# A=1\n\n  # x\nB=2", { B: "2" }],
    ["A='a # b'", { A: "a # b" }],
    ["A='a\\n'", { A: "a\\n" }],
    ['A="a\\n\\t\\"\\\\ \\$X \\q"', { A: 'a\n\t"\\ $X \\q' }],
    ['A="a" # comment', { A: "a" }],
    ['A="a\nb"\nB=2', { A: "a\nb", B: "2" }],
    ["A='a\nb'", { A: "a\nb" }],
    ["A=`a\"'b`", { A: "a\"'b" }],
    ["A=$B", { A: "$B" }],
    ["A=1\nA=2", { A: "2" }],
    ["__proto__=1", JSON.parse('{"__proto__":"1"}')],
  ])("%j", (text, values) => {
    const read = parseDotenv(text);
    expect(read.problems).toEqual([]);
    expect(Object.fromEntries(read.values)).toEqual(values);
  });

  it.each([
    ["A=1\nB\nC=3", 2, "cannot read this line: write NAME=value"],
    ["1A=1", 1, "cannot read this line: write NAME=value"],
    ["A.B=1", 1, "cannot read this line: write NAME=value"],
    ['X=0\nA="b\nC=3', 2, "cannot find the end of A's value: add its closing quote"],
    ["A='b' c", 1, "cannot find the end of A's value: add its closing quote"],
  ])("%j is refused, the other lines are read", (text, line, message) => {
    const { values, problems } = parseDotenv(text);
    expect(problems).toEqual([{ line, message }]);
    if (text.includes("C=3")) expect(values.get("C")).toBe("3");
  });

  it("reads back every value in double quotes", () => {
    const quote = (value: string) =>
      `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: ANY_CHARACTER })), (values) => {
        const text = values.map((value, i) => `V${i}=${quote(value)}`).join("\n");
        expect([...parseDotenv(text).values.values()]).toEqual(values);
      }),
    );
  });

  it("ends, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("A", "=", '"', "'", "\\", "\n", "#", " ", "`") }),
        (text) => void parseDotenv(text),
      ),
    );
  });
});
