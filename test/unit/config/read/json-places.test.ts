import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonPlaces } from "../../../../src/config/read/json-places.ts";
import { type readJson, readYaml } from "../../../../src/config/read/yaml.ts";

/** Its keys are anything. */
const ANY = { kind: "scalar" } as unknown as Parameters<typeof readJson>[2];

describe("where the parts of a JSON text stand", () => {
  it("is where they begin, by key and by index", () => {
    const { places, twice } = jsonPlaces('{\n  "a": [1, {"b\\"]": "x,{"}],\n  "c" : null }');
    expect(twice).toEqual([]);
    const at = (line: number, column: number) => ({ line, column });
    expect(places.value).toEqual(at(1, 1));
    const a = places.parts?.get("a");
    expect(a).toMatchObject({ key: at(2, 3), value: at(2, 8) });
    expect(a?.parts?.get("0")).toMatchObject({ key: at(2, 9), value: at(2, 9) });
    expect(a?.parts?.get("1")?.parts?.get('b"]')).toMatchObject({ key: at(2, 13), value: at(2, 21) });
    expect(places.parts?.get("c")).toMatchObject({ key: at(3, 3), value: at(3, 9) });
  });

  it("is told of the first of two with one name, and the second is reported", () => {
    const { places, twice } = jsonPlaces('{"a":1,"b":{"a":2},\n"a":3,"__proto__":1,"__proto__":2}');
    expect(places.parts?.get("a")?.value).toEqual({ line: 1, column: 6 });
    expect(twice.map(({ key, at }) => [key, at.line, at.column])).toEqual([
      ["a", 2, 1],
      ["__proto__", 2, 21],
    ]);
  });

  it("is what a parser of YAML says too, for any value", async () => {
    // Empty keys and such with line ends, which that parser cuts, are no matter here.
    const text = fc.string({ unit: fc.constantFrom(...'ab "\\{}[]:,é🙂'.split("")) });
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(text, tie("value"), { maxKeys: 4 }),
      ),
    }));
    for (const one of fc.sample(fc.dictionary(text, value, { maxKeys: 4 }), { seed: 1, numRuns: 300 }))
      for (const indent of [0, 2]) {
        const written = JSON.stringify(one, null, indent);
        const asYaml = await readYaml("f.yaml", written, ANY);
        if (asYaml.document?.places)
          expect(plain(jsonPlaces(written).places), written).toEqual(plain(asYaml.document.places));
      }
  });

  it("takes a text of a MiB, of whatever kind, at once", () => {
    const n = 1 << 20;
    const texts = [
      `"${"\\\\".repeat(n / 2)}"`,
      `"${"a".repeat(n)}"`,
      `[${"1,".repeat(n / 2)}1]`,
      `{${Array.from({ length: n / 12 }, (_, i) => `"k${i}":"\\""`).join(",\n")}}`,
      `[${" ".repeat(n)}]`,
    ];
    for (const text of texts) expect(jsonPlaces(text).places.value).toEqual({ line: 1, column: 1 });
  });
});

type Placed = ReturnType<typeof jsonPlaces>["places"];
/** Without the difference between no parts and none. */
const plain = ({ key, value, parts }: Placed): unknown => ({
  key,
  value,
  parts: Object.fromEntries([...(parts ?? [])].map(([name, part]) => [name, plain(part)])),
});
