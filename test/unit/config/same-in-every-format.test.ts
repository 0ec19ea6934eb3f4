import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { nameFault } from "../../../src/config/check/env-names.ts";
import { load } from "../../../src/config/load.ts";
import { resolve } from "../../../src/config/resolve/resolve.ts";
import type { ActionSpec } from "../../../src/model/action.ts";
import { formatDiagnostic } from "../../../src/model/diagnostic.ts";
import { serverInput } from "../../../src/model/server.ts";
import { ANY_CHARACTER } from "../../rig/any-character.ts";
import { folderWith, requestFor, worldOf } from "./rig.ts";
import { asJson, asKdl, asTypeScript, asYaml } from "./writers.ts";

/** Any text that a process can be given: quotes, backslashes, line breaks, braces, every plane of Unicode. */
const anyText = fc.oneof(
  fc.string({ unit: ANY_CHARACTER }).filter((text) => !text.includes("\0") && !/\p{Surrogate}/u.test(text)),
  fc.string({
    unit: fc.constantFrom(
      '"',
      "\\",
      "\n",
      "\r",
      "\t",
      "'",
      "`",
      "$",
      "{",
      "}",
      "#",
      ":",
      "-",
      " ",
      "é",
      "\u2028",
      "😀",
      "\u0085",
    ),
  }),
  fc.constantFrom(
    "",
    "1.10",
    "true",
    "null",
    "~",
    "{port}",
    "{{port}}",
    "{name}",
    "{foo}",
    "- a",
    "yes",
    "0x1F",
    "\uFEFF",
    "#true",
    '"""',
  ),
);
// A template that names a variable is refused when the variable is not there, which is not what is looked at here.
const filled = anyText.filter((text) => !/\{env\./.test(text));
const someText = filled.filter((text) => text !== "");
const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const duration = fc.constantFrom("250ms", "2s", "1m30s", "1.5s", "24d");
const timing = {
  interval: duration,
  timeout: duration,
  startPeriod: duration,
  failureThreshold: fc.integer({ min: 1, max: 1000 }),
  successThreshold: fc.integer({ min: 1, max: 1000 }),
};
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });
const tcp = fc.record(
  { type: fc.constant("tcp"), port: fc.integer({ min: 1, max: 65535 }), ...timing },
  { requiredKeys: ["type"] },
);
const log = fc.record(
  { type: fc.constant("log"), pattern: fc.constantFrom("listening", "a\\.b\"c'", "^\\d+$"), ...timing },
  { requiredKeys: ["type", "pattern"] },
);
const envName = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((name) => !nameFault(name));
const reference = fc
  .oneof(fc.record({ env: someText }), fc.record({ file: someText }), fc.record({ command: someText }))
  .map((secret) => ({ secret }));

const zone = fc.constantFrom("UTC", "Europe/Berlin");
const schedule = fc.oneof(
  fc.constantFrom("0 3 * * *", "@daily", "*/5 * * * MON-FRI"),
  fc.record(
    {
      cron: fc.constantFrom("0 3 * * *", "@hourly"),
      timeZone: zone,
      missed: fc.constantFrom("once", "skip"),
    },
    { requiredKeys: ["cron"] },
  ),
);
const whatRuns = fc.oneof(
  fc.record({ command: someText }),
  fc.record({ script: filled.map((text) => `#!/bin/sh\n${text}`) }),
  fc.record({
    script: someText,
    interpreter: fc.oneof(someText, fc.array(someText, { minLength: 1, maxLength: 3 })),
  }),
);
const action = fc
  .tuple(
    whatRuns,
    record({
      args: fc.array(filled, { maxLength: 3 }),
      env: fc.dictionary(envName, fc.oneof(filled, reference), { maxKeys: 3 }),
      workingDir: someText,
      umask: fc.constantFrom("022", "077"),
      timeout: fc.oneof(duration, fc.constant("none")),
      grace: duration,
      retries: fc.oneof(
        fc.nat(100),
        fc.record({ max: fc.nat(100), backoffMax: fc.constantFrom("1m", "2h") }, { requiredKeys: ["max"] }),
      ),
      schedule,
      concurrency: fc.constantFrom("allow", "forbid", "replace"),
      description: filled,
      tags: fc.array(someText, { maxLength: 3 }),
    }),
  )
  // A port is not always there to be filled in.
  .filter(([, { args = [], env = {} }]) => !/\{port\}/.test(JSON.stringify([args, env])))
  .map(([one, rest]) => ({ ...one, ...rest }));
const actions = fc.dictionary(
  word.filter((name) => name !== "main"),
  action,
  { maxKeys: 2 },
);

/** Holds here, or on another machine. */
const when = fc.oneof(
  fc.record({ host: fc.constantFrom("box", "other", ["lab", "box"]) }),
  fc.record({ os: fc.constantFrom("macos", ["linux"]), user: fc.constantFrom("ann", ["bob", "cy"]) }),
);
/** Some settings, for some machines. */
const some = {
  portFlag: someText,
  env: fc.dictionary(
    envName.map((name) => `ON_${name}`),
    fc.oneof(filled, reference),
    { maxKeys: 2 },
  ),
  workingDir: someText,
  restart: record({ policy: fc.constantFrom("always", "never"), resetAfter: duration }),
  host: fc.constantFrom("127.0.0.1", "::1"),
  liveness: fc.constantFrom("tcp", "none"),
  dependsOn: fc.constant([{ server: "db", condition: "started" }]),
  umask: fc.constantFrom("022", "077"),
};

const stdio = fc.record(
  {
    transport: fc.constant("stdio"),
    path: fc.constantFrom("/mcp", "/rpc"),
    share: fc.constant("all"),
    start: fc.constantFrom("eager", "on-demand"),
    idleStop: duration,
    maxSessions: fc.integer({ min: 1, max: 1000 }),
    maxChildren: fc.integer({ min: 1, max: 1000 }),
    capabilities: fc.constantFrom(["sampling"], ["elicitation", "sampling"]),
    allowHosts: fc.constantFrom(["dev.local"], ["a", "[::1]"]),
    allowOrigins: fc.constant(["https://app.example", "http://localhost:3000"]),
    token: reference,
  },
  { requiredKeys: ["transport", "share"] },
);

const anyServer = fc.record(
  {
    command: someText,
    args: fc.array(filled, { maxLength: 4 }),
    port: fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constant("auto")),
    portFlag: someText,
    host: fc.constantFrom("127.0.0.1", "localhost", "::1"),
    mcp: fc.oneof(fc.constant(true), fc.record({ path: anyText.map((text) => `/${text}`) }), stdio),
    env: fc.dictionary(envName, fc.oneof(filled, reference), { maxKeys: 4 }),
    envFile: fc.oneof(someText, fc.array(someText, { maxLength: 3 })),
    workingDir: someText,
    umask: fc.constantFrom("022", "077", "0002", "777"),
    restart: record({
      policy: fc.constantFrom("always", "never", "on-failure"),
      backoffMax: fc.constantFrom("1m", "2h"),
      maxRetriesPerMinute: fc.integer({ min: 0, max: 1000 }),
      resetAfter: duration,
      successExitCodes: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 3 }),
    }),
    stop: record({
      grace: duration,
      signal: fc.constantFrom("SIGTERM", "SIGUSR2"),
      descendants: fc.constantFrom("own", "all"),
    }),
    readiness: fc.oneof(fc.constantFrom("tcp", "none"), tcp, log, fc.constant({ type: "none" })),
    liveness: fc.oneof(fc.constantFrom("tcp", "none"), tcp),
    dependsOn: fc
      .uniqueArray(fc.constantFrom("db", "cache"), { maxLength: 2 })
      .chain((names) =>
        fc.tuple(
          ...names.map((name) =>
            fc.oneof(
              fc.constant(name),
              fc.record({ server: fc.constant(name), condition: fc.constantFrom("started", "completed") }),
            ),
          ),
        ),
      ),
    logs: record({ maxSize: fc.constantFrom("64KiB", "10MiB"), keep: fc.integer({ min: 0, max: 1000 }) }),
    wanted: fc.constantFrom("start", "stop", "ignore"),
    limits: record({ openFiles: fc.integer({ min: 16, max: 4096 }) }),
    description: filled,
    tags: fc.array(someText, { maxLength: 3 }),
    when: record({
      os: fc.oneof(fc.constant("linux"), fc.constant(["macos", "linux"])),
      user: fc.constantFrom("ann", ["bob", "ann"]),
    }),
    on: fc.array(
      fc.record({ when, of: record(some) }).map(({ when: on, of }) => ({ when: on, ...of })),
      { maxLength: 3 },
    ),
    backend: fc.constant("agent"),
    actions,
  },
  { requiredKeys: ["command", "port"] },
);
/** Behind a bridge, a server has no flag for its port. */
const server = anyServer.map((input) => {
  const { portFlag: _, on = [], ...rest } = input;
  const isStdio = typeof input.mcp === "object" && "transport" in input.mcp;
  return isStdio ? { ...rest, on: on.map(({ portFlag: __, ...some }) => some) } : input;
});

const others = {
  "servers.d/db.json": '{"command":"db","port":"none"}',
  "servers.d/cache.json": '{"command":"cache","port":"none"}',
};

async function desired(folder: string) {
  const result = await load(requestFor(folder));
  if (!result.ok) throw new Error(result.problems.map((problem) => formatDiagnostic(problem)).join("\n"));
  const { desired, autoPorts, secrets, actionSecrets } = await resolve(result.value, worldOf());
  const text = JSON.stringify({ desired, autoPorts, secrets, actionSecrets });
  return JSON.parse(
    text.replaceAll(JSON.stringify(folder).slice(1, -1), "ROOT").replace(/xy-config-\w+/g, "ROOT"),
  );
}

/** What a spec says in the very words of the configuration, where no template was filled in. */
function asWritten({ command, args, env, description, tags }: Readonly<Record<string, unknown>>): object {
  const texts = Object.entries((env ?? {}) as Record<string, unknown>).filter(
    ([, value]) => typeof value === "string" && !value.includes("{"),
  );
  const plain = Array.isArray(args) && !args.some((arg) => arg.includes("{"));
  return {
    command,
    env: Object.fromEntries(texts),
    ...(plain && { args: expect.arrayContaining(args) }),
    ...(description !== undefined && { description }),
    ...(tags !== undefined && { tags }),
  };
}

/** The actions of a server, or those that stand alone, say in their specs what they say in the configuration. */
function expectAsWritten(
  found: readonly ActionSpec[],
  of: string | null,
  written: Record<string, object> = {},
) {
  const specs = found.filter(({ server: owner }) => owner === of);
  expect(specs.map(({ name }) => name).sort()).toEqual(Object.keys(written).sort());
  for (const spec of specs)
    expect(spec).toMatchObject({
      ...asWritten({ command: null, ...written[spec.name] }),
      script: (written[spec.name] as { script?: string }).script ?? null,
    });
}

it("a server in servers.d is the same in KDL, YAML and JSON", async () => {
  const check = fc.asyncProperty(server, word, async (input, name) => {
    fc.pre(name !== "db" && name !== "cache" && serverInput.safeParse(input).success);
    const texts = { kdl: asKdl(input), yaml: asYaml(input), json: asJson(input) };
    const found = [];
    for (const [extension, text] of Object.entries(texts)) {
      found.push(
        await desired(
          folderWith({
            ...others,
            "xy.config.json": '{"project":"p"}',
            [`servers.d/${name}.${extension}`]: text,
          }),
        ),
      );
    }
    expect(found[1]).toEqual(found[0]);
    const spec = found[0].desired.servers.find((one: { name: string }) => one.name === name);
    if (spec) expect(spec).toMatchObject(asWritten(input));
    if (spec) expectAsWritten(found[0].desired.actions, name, input.actions);
    expect(found[2]).toEqual(found[0]);
  });
  await fc.assert(check, { numRuns: 100 });
});

it("a project is the same in KDL, YAML, JSON and TypeScript", async () => {
  const root = fc.record({
    project: fc.constant("p"),
    path: fc.array(someText, { maxLength: 2 }),
    servers: fc.dictionary(word, server, { maxKeys: 3 }),
    actions,
  });
  const check = fc.asyncProperty(root, async (input) => {
    const ports = Object.values(input.servers).map((one) => one.port);
    fc.pre(!("db" in input.servers) && !("cache" in input.servers) && new Set(ports).size === ports.length);
    const writers = { kdl: asKdl, yaml: asYaml, json: asJson, ts: asTypeScript };
    const found = [];
    for (const [extension, write] of Object.entries(writers)) {
      const folder = folderWith(others);
      writeFileSync(join(folder, `xy.config.${extension}`), write(input));
      found.push(await desired(folder));
    }
    for (const one of found.slice(1)) expect(one).toEqual(found[0]);
    expectAsWritten(found[0].desired.actions, null, input.actions);
  });
  await fc.assert(check, { numRuns: 12 });
});
