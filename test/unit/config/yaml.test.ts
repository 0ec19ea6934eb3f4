import { expect, it } from "vitest";
import { type readJson, readYaml } from "../../../src/config/yaml.ts";

const ANY = { kind: "scalar" } as unknown as Parameters<typeof readJson>[2];

/** How many parts of lists are copied while a text is read. */
async function copiedFor(text: string): Promise<number> {
  const { concat } = Array.prototype;
  let copied = 0;
  Array.prototype.concat = function (...more: unknown[]) {
    copied += this.length;
    return concat.apply(this, more);
  };
  try {
    const { problems } = await readYaml("f.yaml", text, ANY);
    expect(problems[0]?.message).toMatch(/^cannot read this as YAML: /);
  } finally {
    Array.prototype.concat = concat;
  }
  return copied;
}

it("of parts that stand in each other by the thousand, none is copied for each that is in it", async () => {
  const [single, double] = [
    await copiedFor("a: b: c\n".repeat(500)),
    await copiedFor("a: b: c\n".repeat(1000)),
  ];
  expect(double).toBeLessThanOrEqual(3 * single);
});
