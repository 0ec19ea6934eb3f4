import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Raw, rawAt, withMembers, withoutMembers } from "../../../src/bridge/eras/members.ts";

const KEYS = fc.constantFrom("a", "b", 'q"\\', "_meta", "ü");
/** As JSON has it: it knows no -0. */
const OBJECT = fc
  .dictionary(KEYS, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);

/** As somebody else may have written it. */
const written = (value: unknown, indent: number) =>
  JSON.stringify({ outer: value, after: [1, "}"] }, null, indent);
const read = (text: string) => JSON.parse(text);

describe("members of an object in the text of a message", () => {
  it("are set and taken away, and all others stay", () => {
    fc.assert(
      fc.property(OBJECT, OBJECT, fc.integer({ min: 0, max: 2 }), (before, set, indent) => {
        const text = written(before, indent);
        const more = withMembers(text, ["outer"], set);
        expect(read(more)).toEqual({ outer: { ...before, ...set }, after: [1, "}"] });
        const less = withoutMembers(more, ["outer"], Object.keys(set));
        const kept = Object.entries(before).filter(([key]) => !Object.hasOwn(set, key));
        expect(read(less)).toEqual({ outer: Object.fromEntries(kept), after: [1, "}"] });
      }),
      { numRuns: 300 },
    );
  });

  it("are made with the objects that lead to them, and never in what is no object", () => {
    expect(withMembers('{ "id":1 }', ["params", "_meta"], { t: 1 })).toBe(
      '{"params":{"_meta":{"t":1}}, "id":1 }',
    );
    expect(withMembers('{"params":[1]}', ["params"], { t: 1 })).toBe('{"params":[1]}');
    expect(withMembers('{"a": {} }', ["a"], { t: undefined })).toBe('{"a": {} }');
  });

  it("keep what JavaScript cannot hold, and count as the last one where they stand twice", () => {
    const text = '{"r":{"n":12345678901234567890,"e":1e400,"x":1,"x":2}}';
    expect(withMembers(text, ["r"], { y: new Raw("1e999") })).toBe(
      '{"r":{"y":1e999,"n":12345678901234567890,"e":1e400,"x":1,"x":2}}',
    );
    expect(withoutMembers(text, ["r"], ["x"])).toBe('{"r":{"n":12345678901234567890,"e":1e400}}');
    expect(rawAt(text, ["r", "x"])?.text).toBe("2");
    expect(rawAt(text, ["r", "z"])).toBeUndefined();
  });
});
