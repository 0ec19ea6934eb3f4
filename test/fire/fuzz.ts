import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { contract } from "../../src/rpc/contract.ts";
import { mutants, type Schema, valuesOf } from "../rig/json-schema.ts";
import { Api } from "../rig/openrpc.ts";
import { Wire } from "../rig/wire.ts";
import { asJson, asYaml } from "../unit/config/writers.ts";
import type { Random } from "./random.ts";
import { type World, within } from "./world.ts";

/** Calls and configurations that nobody would write, made from what xy says of itself. */

/** Params that have to be kept small, so that a call is over soon. */
const WORDS = {
  follow: [false],
  wait_ms: [0],
  for_ms: [1],
  timeout: [500],
  tail: [0, 3],
  project: ["p", "nobody"],
};
const CONNECTIONS = 4;

/** As many calls as asked for, on some connections at once; each is answered, and the agent goes on. */
export async function strangeCalls(world: World, random: Random, count: number): Promise<void> {
  const client = await world.agent.client();
  const { pid } = await client.call("agent_info", {});
  const frames = framesOf(await Api.of(client, WORDS), random, count);
  const wires = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => Wire.open(world.agent.record.socket)),
  );
  try {
    for (const [i, frame] of frames.entries()) wires[i % CONNECTIONS]?.send(`${frame}\n`);
    await Promise.all(
      wires.map(async (wire, i) => {
        const last = `last ${i}`;
        wire.ask(last, "list", {});
        const answered = async () => {
          for (;;) {
            const frame = await wire.next();
            if (frame === undefined) throw new Error(`connection ${i} was ended`);
            if (frame.id === last) return;
          }
        };
        await within(answered(), `the last answer of connection ${i}`);
      }),
    );
  } finally {
    for (const wire of wires) wire.close();
  }
  const now = await world.agent.call("agent_info", {});
  if (now.pid !== pid)
    throw new Error(`the agent ended under calls that nobody would make: ${frames.join("\n")}`);
}

/** Allowed ones of methods that only read, ones of all that are not allowed, and bytes that are none. */
function framesOf(api: Api, random: Random, count: number): string[] {
  const seed = random.integer(2 ** 31);
  const calls = api.document.methods.flatMap((method) => {
    const valid = api.valid(method, 4, seed);
    const { reads } = contract[method.name as keyof typeof contract];
    const params = [...(reads ? valid : []), ...api.invalid(method, valid, 12, seed)];
    return params.map((each) => ({
      jsonrpc: "2.0",
      id: random.integer(1000),
      method: method.name,
      params: each,
    }));
  });
  return Array.from({ length: count }, () => {
    const text = JSON.stringify(random.pick(calls));
    switch (random.integer(8)) {
      case 0:
        return text.slice(0, random.integer(text.length));
      case 1:
        return JSON.stringify(random.pick([null, 0, "", [], {}, { jsonrpc: "2.0", method: "list" }]));
      default:
        return text;
    }
  });
}

const SCHEMA = join(import.meta.dirname, "../../schema/xy.server.camel.schema.json");
const DURATIONS = ["0s", "250ms", "10s", "1m30s", "2h 37min", "9999d"];

/** Without what no values are made of: names of keys that anybody may use, and patterns that look ahead. */
function usable(key: string, value: unknown): unknown {
  if (key === "patternProperties" || (key === "$schema" && typeof value === "string")) return undefined;
  const { pattern } = (typeof value === "object" && value !== null ? value : {}) as { pattern?: unknown };
  return typeof pattern === "string" && pattern.includes("(?=") ? { enum: DURATIONS } : value;
}

const FILES_AT_ONCE = 25;

/** Configurations of so many files, right and wrong: checked with problems that have a place, and never an exception. */
export async function strangeConfigurations(world: World, random: Random, count: number): Promise<void> {
  const schema = JSON.parse(readFileSync(SCHEMA, "utf8"), usable) as Schema;
  const folder = join(world.home.path, "strange");
  world.home.trusts(folder);
  for (let done = 0; done < count; done += FILES_AT_ONCE) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, "servers.d"), { recursive: true });
    const made = fc.sample(valuesOf(schema, around(schema)), {
      numRuns: FILES_AT_ONCE,
      seed: random.integer(2 ** 31),
    });
    made.forEach((value, i) => {
      const changed = random.integer(2) === 0 ? value : random.pick(mutants(value));
      const [extension, text] = random.integer(2) === 0 ? ["json", asJson(changed)] : ["yaml", yaml(changed)];
      const at = random.integer(text.length);
      const spoiled =
        random.integer(3) === 0 ? `${text.slice(0, at)}${random.pick(PIECES)}${text.slice(at)}` : text;
      writeFileSync(join(folder, `servers.d/s${i}.${extension}`), spoiled);
    });
    const { code, stdout, stderr } = await world.said("check", "--config", folder);
    if (code !== 0 && code !== 3) throw new Error(`xy check ended with ${code}: ${stdout}${stderr}`);
  }
}

const PIECES = [
  ..."{}[]()\"'`=:;,#-/\\&*!|>?%@~ \n\t\r\u0000\uFEFF\u2028é😀0a",
  "__proto__",
  "*x",
  "&x",
  "<<: ",
];

const yaml = (value: unknown) => (typeof value === "object" && value !== null ? asYaml(value) : `${value}\n`);

/** Definitions are in the schema itself. */
function around(schema: Schema) {
  const root = schema as unknown as Record<string, unknown>;
  const resolve = (reference: string) =>
    reference
      .replace(/^#\//, "")
      .split("/")
      .reduce(
        (part, key) => part[key.replaceAll("~1", "/").replaceAll("~0", "~")] as typeof root,
        root,
      ) as Schema;
  const choose = (_name: string, _schema: Schema, made: fc.Arbitrary<unknown>) => made;
  return { resolve, choose };
}
