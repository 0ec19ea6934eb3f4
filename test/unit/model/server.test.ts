import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type JsonSchema, jsonSchemaOf } from "../../../src/config/write/json-schema.ts";
import { rootInput, serverInput } from "../../../src/model/server.ts";

const least = { command: "x", port: 1 };

describe("a server", () => {
  it("needs no more than a command and a port", () => {
    expect(serverInput.parse(least)).toMatchObject({
      ...least,
      args: [],
      restart: { policy: "on-failure" },
      wanted: "start",
    });
  });

  it.each([
    [{ port: 0 }],
    [{ port: 65_536 }],
    [{ port: 80.5 }],
    [{ port: "80" }],
    [{ port: Number.NaN }],
    [{ command: "" }],
    [{ umask: "888" }],
    [{ umask: "22" }],
    [{ host: "" }],
    [{ host: "a/b" }],
    [{ mcp: false }],
    [{ mcp: { path: "mcp" } }],
    [{ env: { "A B": "x" } }],
    [{ env: { A: { secret: {} } } }],
    [{ env: { A: { secret: { env: "X", file: "Y" } } } }],
    [{ restart: { successExitCodes: [256] } }],
    [{ restart: { maxRetriesPerMinute: -1 } }],
    [{ stop: { signal: "SIGKILL" } }],
    [{ readiness: { type: "udp" } }],
    [{ readiness: { type: "command" } }],
    [{ readiness: { type: "http", path: "no slash" } }],
    [{ readiness: { type: "http", status: [] } }],
    [{ liveness: { type: "log", pattern: "x" } }],
    [{ readiness: { type: "log" } }],
    [{ liveness: { type: "log", pattern: "x" } }],
    [{ readiness: { type: "tcp", pattern: "x" } }],
    [{ logs: { maxSize: "1B" } }],
    [{ dependsOn: ["A"] }],
    [{ dependsOn: [{ server: "a", condition: "healthy" }] }],
    [{ wanted: "restart" }],
    [{ limits: { openFiles: 3 } }],
    [{ class: "machine" }],
    [{ backend: "pm2" }],
  ])("cannot have %j", (part) => expect(serverInput.safeParse({ ...least, ...part }).success).toBe(false));
});

describe("the documentation", () => {
  it("covers every field", () => {
    const bare: string[] = [];
    const walk = (schema: JsonSchema, path: string) => {
      for (const [key, of] of Object.entries(schema.properties ?? {})) {
        if (of.description === undefined && key !== "type" && key !== "secret") bare.push(path + key);
        walk(of, `${path}${key}.`);
      }
      for (const inner of [
        ...(schema.anyOf ?? []),
        ...(schema.oneOf ?? []),
        ...(schema.items ? [schema.items] : []),
      ])
        walk(inner, path);
    };
    walk(jsonSchemaOf(rootInput, "kebab"), "");
    walk(jsonSchemaOf(serverInput, "kebab"), "");
    expect(bare).toEqual([]);
  });

  it("is JSON Schema that zod can write without loss", () => {
    expect(() => z.toJSONSchema(rootInput, { io: "input", unrepresentable: "throw" })).not.toThrow();
  });
});
