import { describe, expect, it } from "vitest";
import { type readJson, readYaml } from "../../../../src/config/read/yaml.ts";
import { declaredBy, problemsOf } from "../rig.ts";

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

describe("merge keys", () => {
  /** What is declared of each server by one file. */
  const servers = async (text: string) =>
    Object.fromEntries(
      (await declaredBy({ "xy.config.yaml": text })).servers.map(({ name, input }) => [name, input]),
    );

  it("bring in what an alias stands for, and what stands beside them counts more", async () => {
    const text = `
x-base: &base
  command: sh
  port: none
  tags: [a]
  env: &env { A: "1", B: "2" }
x-more: &more { tags: [b], description: more }
servers:
  one: { <<: *base }
  two:
    tags: [own]
    <<: *base
    description: own
  three:
    <<: [*more, *base]
  four:
    <<: *base
    env:
      <<: *env
      B: "3"
  five:
    <<: { command: sh, port: none }
`;
    const { one, two, three, four, five } = await servers(text);
    expect(one).toMatchObject({ command: "sh", port: "none", tags: ["a"], env: { A: "1", B: "2" } });
    expect(two).toMatchObject({ command: "sh", tags: ["own"], description: "own" });
    expect(three).toMatchObject({ command: "sh", tags: ["b"], description: "more" });
    expect(four?.env).toEqual({ A: "1", B: "3" });
    expect(five).toMatchObject({ command: "sh", port: "none" });
  });

  it("nest, and take a list by its alias", async () => {
    const text = `
x-a: &a { command: sh, description: a }
x-b: &b { <<: *a, port: none, description: b }
x-list: &list [*b, *a]
servers:
  one: { <<: *b }
  two: { <<: *list }
`;
    for (const server of Object.values(await servers(text)))
      expect(server).toMatchObject({ command: "sh", port: "none", description: "b" });
  });

  it("are texts where they are written in quotes", async () => {
    expect(await problemsOf({ "servers.d/a.yaml": 'command: sh\nport: none\n"<<": {port: 1}\n' })).toEqual([
      expect.stringContaining('servers.d/a.yaml:3:1: cannot use unknown key "<<"'),
    ]);
  });

  it("of no map are errors at their place, and what they bring in is told where it is written", async () => {
    const text = `
x-a: &a text
x-b: &b
  comand: sh
servers:
  one: { <<: *a, command: sh, port: none }
  two: { <<: [*b, 3], port: none }
  three: { <<: , command: sh, port: none }
`;
    expect(await problemsOf({ "xy.config.yaml": text })).toEqual([
      'xy.config.yaml:4:3: cannot use unknown key "servers.two.comand": did you mean "command"?',
      'xy.config.yaml:6:14: cannot merge "text": << takes a map, an alias of one (*name), or a list of those',
      "xy.config.yaml:7:14: cannot merge 3: << takes a map, an alias of one (*name), or a list of those",
      "xy.config.yaml:8:16: cannot merge nothing: << takes a map, an alias of one (*name), or a list of those",
    ]);
  });

  it("serve a thousand servers", async () => {
    const lines = Array.from({ length: 1000 }, (_, i) => `  s${i}: {<<: *base, env: *env}\n`);
    const text = `x-base: &base {command: sh, port: none}\nx-env: &env {A: "1"}\nservers:\n${lines.join("")}`;
    expect(Object.keys(await servers(text))).toHaveLength(1000);
  });

  const TOO_MANY = "cannot expand so many aliases: write out their values";
  const wide = (i: number) => Array.from({ length: 1000 }, (_, k) => `k${i * 1000 + k}: 1`).join(", ");
  it.each([
    [
      "that double each time",
      `x-0: &a0 [x]\n${Array.from({ length: 40 }, (_, i) => `x-${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`).join("")}`,
    ],
    ["that merge much, often", `x-a: &a {${wide(0)}}\nx-l:\n${"- {<<: *a}\n".repeat(2000)}`],
    ["that go on without end", "x-a: &a [*a]\n"],
    ["that merge themselves", "x-a: &a {b: {<<: *a}}\n"],
  ])("and aliases %s are refused", async (_, text) => {
    expect(await problemsOf({ "xy.config.yaml": text })).toEqual([`xy.config.yaml:1:1: ${TOO_MANY}`]);
  });
});

describe("keys that begin with x-", () => {
  it("are nobody's, in every block of YAML and JSON", async () => {
    const files = {
      "xy.config.yaml": "x-note: [1, {a: b}]\ndefaults: {x-note: 1, restart: {x-note: 2}}\n",
      "servers.d/a.yaml": "command: sh\nport: none\nx-note: hello\nreadiness: {type: none, x-y: 1}\n",
      "servers.d/b.json": '{"command": "sh", "port": "none", "x-note": {}}',
    };
    expect(await problemsOf(files)).toEqual([]);
  });

  it("are names like others where names stand", async () => {
    const declared = await declaredBy({ "xy.config.yaml": "servers: {x-a: {command: sh, port: none}}\n" });
    expect(declared.servers.map(({ name }) => name)).toEqual(["x-a"]);
    expect(
      await problemsOf({ "servers.d/a.yaml": 'command: sh\nport: none\nenv: {x-a: "1"}\n' }),
    ).toHaveLength(1);
  });
});
