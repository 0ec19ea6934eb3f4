import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { INIT_FORMATS, initFiles } from "../../../../src/config/write/init.ts";
import { folderWith, resolvedFrom } from "../rig.ts";

const project = join(import.meta.dirname, "../../../..");
const filesOf = (format: (typeof INIT_FORMATS)[number]) =>
  Object.fromEntries(initFiles(format, { version: "1.2.3" }).map(({ path, text }) => [path, text]));

describe.each(INIT_FORMATS)("the starter configuration in %s", (format) => {
  it("declares a server that runs wherever Node is", async () => {
    const { desired } = await resolvedFrom(filesOf(format), { env: { PATH: process.env.PATH } });
    expect(desired.servers).toMatchObject([
      { name: "hello", command: "node", args: ["-e", expect.any(String)], readiness: { type: "tcp" } },
    ]);
    const [server] = desired.servers;
    expect(server?.env.PORT).toBe(String(server?.port));
  });
});

it("the starter configuration is the same server in every format", async () => {
  const all = await Promise.all(INIT_FORMATS.map((format) => resolvedFrom({ ...filesOf(format) })));
  const servers = all.map(({ desired }) =>
    desired.servers.map(({ project: _p, port: _t, env: _e, readiness: _r, liveness: _l, ...rest }) => rest),
  );
  for (const one of servers) expect(one).toEqual(servers[0]);
});

describe("the JSON Schemas", () => {
  const schema = (format: (typeof INIT_FORMATS)[number], path: string) =>
    JSON.parse(filesOf(format)[path] ?? "null");

  it("name keys as their format writes them", () => {
    expect(Object.keys(schema("yaml", "xy.server.schema.json").properties)).toContain("working-dir");
    expect(
      Object.keys(schema("yaml", "xy.schema.json").properties.defaults.properties.restart.properties),
    ).toContain("backoff-initial");
    expect(Object.keys(schema("json", "xy.server.schema.json").properties)).toContain("workingDir");
    expect(Object.keys(schema("json", "xy.schema.json").properties)).toContain("$schema");
    expect(schema("yaml", "xy.server.schema.json").required).toEqual(["command", "port"]);
  });

  it.each(["xy.schema.json", "xy.server.schema.json"])("%s refuses what is wrong at any depth", (file) => {
    const text = filesOf("yaml")[file] ?? "";
    // What several places share stands there once.
    expect(text.length).toBeLessThan(100_000);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(text));
    const accepts = (server: object) =>
      validate(file === "xy.schema.json" ? { defaults: {}, servers: { a: server } } : server);
    const server = { command: "x", port: 1 };
    const probe = { type: "http", path: "/", "start-period": "1m" };
    expect(accepts({ ...server, readiness: probe, on: [{ when: { host: "a" }, liveness: probe }] })).toBe(
      true,
    );
    expect(accepts({ ...server, on: [{ when: { host: "a" }, stop: { grace: "5s" } }] })).toBe(true);
    for (const wrong of [
      { ...server, stop: { grce: "5s" } },
      { ...server, readiness: { ...probe, pth: "/" } },
      { ...server, on: [{ when: { host: "a" }, stop: { grce: "5s" } }] },
      { ...server, on: [{ when: { host: "a" }, liveness: { ...probe, status: "x" } }] },
      { ...server, actions: { b: { command: "x", retries: { max: "many" } } } },
      {
        ...server,
        on: [{ when: { host: "a" }, actions: { b: { command: "x", retries: { max: "many" } } } }],
      },
      { command: "x" },
    ])
      expect(accepts(wrong), JSON.stringify(wrong)).toBe(false);
  });
});

describe("xyctl.d.ts", () => {
  /** Configurations, by name. All are checked by one tsc, which reads the library once for them. */
  const configs = new Map<string, string>();
  let checked: Promise<string> | undefined;

  async function check(): Promise<string> {
    const files = [...configs].map(([name, text]) => [`${name}.ts`, text] as const);
    const folder = folderWith({ ...filesOf("typescript"), ...Object.fromEntries(files) });
    const tsc = join(project, "node_modules/typescript/bin/tsc");
    const options = [
      "--noEmit",
      "--strict",
      "--exactOptionalPropertyTypes",
      "--module",
      "nodenext",
      "--types",
      "",
      ...files.map(([name]) => name),
    ];
    return promisify(execFile)(process.execPath, [tsc, ...options], { cwd: folder }).then(
      () => "",
      (error: { stdout: string }) => error.stdout,
    );
  }

  /** Declares a configuration. What it answers with tells what tsc says of it, with nothing installed. */
  function typeErrorsOf(config: string): () => Promise<string> {
    const name = `config${configs.size}`;
    configs.set(name, config);
    return async () => {
      checked ??= check();
      const errors = (await checked).split(/^(?=\S)/m);
      // What is not about one of the files is about all.
      return errors.filter((text) => !/^config\d+\.ts/.test(text) || text.startsWith(`${name}.ts`)).join("");
    };
  }
  // As an object: TypeScript looks for excess keys in it, not in what a function returns.
  const asObject = (body: string) => `/// <reference path="./xyctl.d.ts" />
import { defineConfig } from "xyctl";
export default defineConfig(${body});
`;
  const config = (body: string) => `/// <reference path="./xyctl.d.ts" />
import { defineConfig, secret } from "xyctl";
export default defineConfig(({ os, env }) => (${body}));
`;

  const starter = typeErrorsOf(filesOf("typescript")["xy.config.ts"] ?? "");
  it("accepts the starter configuration", async () => {
    expect(await starter()).toBe("");
  });

  const everyField = typeErrorsOf(
    config(`{
      project: "p", path: ["~/bin"], when: { os: ["linux"] }, backend: "agent",
      defaults: { restart: { policy: "always" } },
      servers: { a: {
        command: os, args: ["x"], port: "auto", portFlag: "--port", host: "::1", mcp: true, env: { A: "1", B: secret.env("B"), C: secret.command(env.C ?? "") },
        envFile: [".env"], workingDir: "~", umask: "022", restart: { backoffInitial: "1s", successExitCodes: [0, 1] }, stop: { grace: "1s", signal: "SIGINT" },
        readiness: { type: "log", pattern: "x" }, liveness: "tcp", dependsOn: ["b", { server: "c", condition: "started" }], logs: { maxSize: "1MiB", keep: 1 },
        wanted: "ignore", limits: { openFiles: 64 }, description: "", tags: [], when: { host: "box" }, backend: "agent",
        on: [{ when: { os: "macos" }, port: 2, env: { A: secret.file("x") } }],
      } },
      on: [{ when: { host: ["a", "b"] }, path: [], defaults: { umask: "077" } }],
    }`),
  );
  it("accepts every field", async () => {
    expect(await everyField()).toBe("");
  });

  it.each(
    [
      [
        "a wrong key",
        '{ servers: { a: { command: "x", port: 1, wrokingDir: "" } } }',
        /'wrokingDir' does not exist in type/,
      ],
      ["a missing port", '{ servers: { a: { command: "x" } } }', /Property 'port' is missing/],
      [
        "a wrong word",
        '{ servers: { a: { command: "x", port: 1, restart: { policy: "sometimes" } } } }',
        /"sometimes"' is not assignable/,
      ],
      [
        "a number in env",
        '{ servers: { a: { command: "x", port: 1, env: { A: 1 } } } }',
        /'number' is not assignable/,
      ],
    ].map(([what, body, message]) => [what, typeErrorsOf(asObject(body as string)), message] as const),
  )("refuses %s", async (_, errors, message) => {
    expect(await errors()).toMatch(message as RegExp);
  });
});

it("what is derived from the schema is up to date", async () => {
  const jiti = join(project, "node_modules/jiti/lib/jiti-cli.mjs");
  const check = promisify(execFile)(process.execPath, [
    jiti,
    join(project, "scripts/generate.ts"),
    "--check",
  ]);
  await expect(check).resolves.toMatchObject({ stderr: "" });
});
