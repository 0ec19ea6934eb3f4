import { on, once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { schemaProblems } from "../../../src/config/check/issues.ts";
import { canonicalKeys } from "../../../src/config/check/keys.ts";
import { load } from "../../../src/config/load.ts";
import { plainData } from "../../../src/config/read/plain.ts";
import { type ObjectShape, shapeOf } from "../../../src/config/read/shape.ts";
import { rootInput } from "../../../src/model/server.ts";
import { ANY_CHARACTER } from "../../rig/any-character.ts";
import { READERS } from "../../rig/readers.ts";
import { folderWith, formatted, requestFor } from "./rig.ts";
import { asJson, asKdl, asYaml } from "./writers.ts";

/**
 * Ten thousand configurations of each format, most of them wrong: each gives a value, or problems with their places,
 * and never an exception.
 */

const COUNT = 10_000;
/** Files that are read as one configuration. */
const AT_ONCE = 500;
const SEED = Number(process.env.XY_TEST_SEED ?? Date.now() % 2 ** 31);

/** What goes wrong most of the time where formats meet people: pieces of any format, and of none. */
const COMMON = [
  ..."{}[]()\"'`=:;,#-/\\&*!|>?%@~ \n\t\r\u0000\uFEFF\u2028é😀0a".split(/(?:)/u),
  "#true",
  "1_0",
  "0x",
  "command",
  "port",
  "env",
  "restart",
  "policy",
  "(env)",
  "null",
  "__proto__",
  "constructor",
  "secret",
];

/** A server that says something about much, to be spoiled. */
const SERVER = {
  command: "node",
  args: ["-e", "{port} {name} {{port}}", ""],
  port: "auto",
  host: "127.0.0.1",
  mcp: { path: "/rpc" },
  env: { PORT: "{port}", TOKEN: { secret: { command: "echo x" } }, OTHER: { secret: { file: "~/x" } } },
  envFile: ["a.env"],
  umask: "077",
  restart: { policy: "always", backoffInitial: "250ms", backoffMax: "1m30s", successExitCodes: [0, 3] },
  stop: { grace: "2s", signal: "SIGINT" },
  readiness: { type: "http", path: "/x", status: [200, 204], interval: "1s" },
  liveness: { type: "command", command: "test", args: ["a"] },
  logs: { maxSize: "64KiB", keep: 2 },
  limits: { openFiles: 512 },
  description: 'All \\ of "it"',
  tags: ["a", "b c"],
  when: { os: ["linux", "macos"] },
  on: [
    { when: { host: "box" }, umask: "022" },
    { when: { os: ["macos", "linux"], user: "ann" }, portFlag: "-p" },
  ],
};

type Said = Parameters<typeof asKdl>[0];

/** All of it, and in parts: a short text is read in less time, and what is wrong with it is as much. */
const SAID: readonly Said[] = [
  SERVER,
  ...[0, 1, 2].map((part): Said => {
    const some = Object.entries(SERVER).filter((_, i) => i % 3 === part);
    return { command: SERVER.command, port: "none", ...Object.fromEntries(some) };
  }),
];

const FORMATS = {
  KDL: { extension: "kdl", texts: SAID.map((said) => asKdl(said)) },
  YAML: { extension: "yaml", texts: SAID.map((said) => asYaml(said)) },
  JSON: { extension: "json", texts: SAID.map((said) => asJson(said)) },
} as const;

/** Texts of a format's pieces alone, and right ones with some pieces put in, taken out or doubled. */
function textsOf(format: keyof typeof FORMATS): string[] {
  const pieces = [...(READERS[format]?.pieces ?? []), ...COMMON];
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces) },
    fc.string({ unit: ANY_CHARACTER, maxLength: 3 }),
  );
  const anything = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
  const edit = fc.record({ place: fc.nat(9999), cut: fc.nat(12), again: fc.boolean(), piece });
  const spoiled = fc
    .tuple(fc.constantFrom(...FORMATS[format].texts), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) =>
      edits.reduce((so, { place, cut, again, piece: put }) => {
        const at = place % (text.length + 1);
        return again ? so.slice(0, at + cut) + so.slice(at) : so.slice(0, at) + put + so.slice(at + cut);
      }, text),
    );
  return fc.sample(fc.oneof(anything, spoiled), { seed: SEED, numRuns: COUNT });
}

/** Parsers make errors by the thousand that nobody sees, and look up where each was made. What throws is done again, with its stack. */
async function withoutStacks<T>(work: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } catch (error) {
    Error.stackTraceLimit = stackTraceLimit;
    await work();
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

describe.each(Object.entries(FORMATS))("ten thousand files of %s", (format, { extension }) => {
  it("are values, or have problems with places", async () => {
    const texts = textsOf(format as keyof typeof FORMATS);
    let good = 0;
    for (let from = 0; from < texts.length; from += AT_ONCE) {
      const folder = folderWith({});
      mkdirSync(join(folder, "servers.d"));
      for (const [i, text] of texts.slice(from, from + AT_ONCE).entries())
        writeFileSync(join(folder, "servers.d", `s${i}.${extension}`), text);
      const result = await withoutStacks(() => load(requestFor(folder)));
      expect(result.ok, `seed ${SEED}`).toBe(false);
      if (result.ok) continue;
      const wrong = formatted(result.problems, folder).filter(
        (problem) => !/^[\w./]+(:\d+:\d+)?: (cannot |ignored |nothing fills in )/.test(problem),
      );
      expect(wrong, `seed ${SEED}`).toEqual([]);
      const bad = new Set(result.problems.map(({ file }) => file));
      good += AT_ONCE - bad.size;
    }
    // Or else only the parsers were tried.
    expect(good).toBeGreaterThan(100);
  });
});

describe("ten thousand values of programs", () => {
  const shape = shapeOf(rootInput) as ObjectShape;
  const read = (value: unknown) => {
    const { value: plain, problems } = plainData(value);
    if (problems.length > 0) return problems;
    const keys = canonicalKeys(plain, shape, "camel");
    const document = {
      file: "/x/xy.config.ts",
      style: "camel",
      value: keys.value,
      locate: () => undefined,
    } as const;
    return schemaProblems(rootInput, document.value, { document, at: [] });
  };

  it("are values, or have problems", () => {
    const odd = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
      key: fc.oneof(
        fc.string(),
        fc.constantFrom("__proto__", "constructor", "toString", "servers", "env", "secret"),
      ),
    });
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const strange = fc.constantFrom<unknown>(
      loop,
      () => 1,
      Symbol("x"),
      Promise.resolve(),
      new Error("x"),
      /x/,
      Number.NaN,
    );
    const part = fc.oneof(odd, strange);
    const field = fc.constantFrom(...Object.keys(SERVER));
    const server = fc.dictionary(field, part, { maxKeys: 4 }).map((spoiled) => ({ ...SERVER, ...spoiled }));
    const root = fc.oneof(
      part,
      fc.record({
        servers: fc.dictionary(fc.string(), fc.oneof(server, part), { maxKeys: 3 }),
        defaults: server,
      }),
    );
    for (const value of fc.sample(root, { seed: SEED, numRuns: COUNT })) {
      const wrong = read(value).filter(({ message }) => !message.startsWith("cannot "));
      // To ask this of each would take longer than to read it.
      if (wrong.length > 0) expect(wrong, `seed ${SEED}`).toEqual([]);
    }
  });
});

const counting = new Worker(new URL("../../rig/reader-worker.mjs", import.meta.url), {
  workerData: { counts: true },
});
const isReady = once(counting, "message");
afterAll(() => counting.terminate());

/** How many blocks of code the reader runs for each of the texts. */
async function stepsOf(reader: string, texts: readonly string[]): Promise<number[]> {
  await isReady;
  counting.postMessage({ reader, texts });
  const steps: number[] = [];
  for await (const [message] of on(counting, "message")) {
    steps.push((message as { steps: number }).steps);
    if (steps.length === texts.length) return steps;
  }
  return steps;
}

/** Each is as long as it is asked to be, about, and of the kind on which a reader may go back again and again. */
const FAMILIES: Readonly<Record<keyof typeof FORMATS, Readonly<Record<string, (n: number) => string>>>> = {
  KDL: {
    "many lines": (n) => 'env { A "x"; }\n'.repeat(n / 16),
    "many values": (n) => `args ${'"a" '.repeat(n / 4)}`,
    "a long text": (n) => `command "${"a".repeat(n)}"`,
    "raw strings that do not end": (n) => `command ${"#".repeat(n)}"x`,
    "open blocks": (n) => "env {\n".repeat(n / 6),
    "wrong keys": (n) => "wrong 1\n".repeat(n / 8),
    comments: (n) => "/* a */ ".repeat(n / 8),
    "a text that is wrongly indented, before values": (n) =>
      `a """\n${"x\n".repeat(n / 2)}  """ ${"1 ".repeat(n / 2)}\n`,
  },
  YAML: {
    "many keys": (n) => Array.from({ length: n / 10 }, (_, i) => `k${i}: x\n`).join(""),
    "many items": (n) => `args:\n${"  - a\n".repeat(n / 6)}`,
    aliases: (n) => `e: &e x\n${Array.from({ length: n / 10 }, (_, i) => `k${i}: *e\n`).join("")}`,
    "a long text": (n) => `command: "${"a".repeat(n)}"\n`,
    "wrong lines": (n) => ": a\n".repeat(n / 4),
    "values in values": (n) => "a: b: c\n".repeat(n / 8),
    "open lists": (n) => "[".repeat(n),
  },
  JSON: {
    "many keys": (n) => `{${Array.from({ length: n / 10 }, (_, i) => `"k${i}":1`).join(",")}}`,
    "many items": (n) => `{"args":[${'"a",'.repeat(n / 4)}"a"]}`,
    "open lists": (n) => "[".repeat(n),
    "a long text": (n) => `{"command":"${"a".repeat(n)}"}`,
  },
};

describe.each(
  Object.entries(FAMILIES).flatMap(([format, families]) =>
    Object.entries(families).map(([family, text]) => [format, family, text] as const),
  ),
)("reading %s: %s", (format, _, text) => {
  it("takes work as the length of the text", async () => {
    // The first time something is loaded and made that is kept.
    const [, single = 0, double = 0] = await stepsOf(format, [4000, 4000, 8000].map(text));
    expect(single).toBeGreaterThan(100);
    expect(double / single).toBeLessThan(3);
  });
});
