import { describe, expect, it } from "vitest";
import { FLAGS, readOptions } from "../../../src/bridge/options.ts";
import { specHash, startHash } from "../../../src/model/canonical.ts";
import { launchEnv, launchOf } from "../../../src/model/launch.ts";
import { mcpOf } from "../../../src/model/mcp-fields.ts";
import { type ServerSpec, serverSpec as schema } from "../../../src/model/spec.ts";
import { serverSpec } from "../../rig/spec.ts";

const HERE = { words: ["/opt/node", "/opt/xy/bridge.js"], sessions: "/state/sessions" } as const;
const web = {
  ...serverSpec("web", "/bin/x", ["--port", "a b", "", "--"]),
  port: 8421,
  // As it is where nothing is declared.
  restart: schema.shape.restart.parse({}),
};
const stdio = { ...web, mcp: mcpOf({ transport: "stdio", path: "/mcp" }) };
const full: ServerSpec = {
  ...web,
  host: "::1",
  restart: { ...web.restart, policy: "never", backoffInitial: 1500, backoffMax: 0, resetAfter: 90_000 },
  mcp: mcpOf({
    transport: "stdio",
    path: "/rpc",
    share: "all",
    start: "on-demand",
    idleStop: "90s",
    maxSessions: 7,
    maxChildren: 3,
    capabilities: ["sampling", "elicitation"],
    allowHosts: ["dev.local"],
    allowOrigins: ["https://app.example"],
  }),
};

/** What the bridge of a server makes of its arguments. */
function readBack(spec: ServerSpec): unknown {
  const [, entry, ...words] = [launchOf(spec, HERE).program, ...launchOf(spec, HERE).args];
  expect(entry).toBe(HERE.words[1]);
  return readOptions(words, {});
}

describe("what is started for a server", () => {
  it("is its own program, unless that speaks over stdin and stdout", () => {
    expect(launchOf(web, HERE)).toBe(web);
    expect(launchOf({ ...web, mcp: { path: "/mcp" } }, HERE).program).toBe("/bin/x");
    expect(launchOf(stdio, HERE).program).toBe("/opt/node");
  });

  it("is a bridge that reads what was declared, and hands on the command byte for byte", () => {
    expect(readBack(full)).toMatchObject({
      ...{ port: 8421, host: "::1", path: "/rpc", share: "all", start: "on-demand", idleStop: 90_000 },
      ...{ maxSessions: 7, maxChildren: 3, capabilities: ["sampling", "elicitation"] },
      ...{ allowHosts: ["dev.local"], allowOrigins: ["https://app.example"], sessions: "/state/sessions" },
      command: { program: "/bin/x", args: ["--port", "a b", "", "--"] },
      restart: { policy: "never", backoffInitial: 1500, backoffMax: 0, resetAfter: 90_000 },
    });
    const { policy, backoffInitial, backoffMax, resetAfter } = stdio.restart;
    expect(readBack(stdio)).toMatchObject({ restart: { policy, backoffInitial, backoffMax, resetAfter } });
  });

  it("is told nothing that is the usual: another version may have another opinion of that", () => {
    const { args } = launchOf(stdio, HERE);
    const flags = args.slice(1, args.indexOf("--")).map((word) => word.replace(/^--|=.*$/gs, ""));
    expect(flags).toEqual(["port", "host", "path", "sessions"]);
    expect(mcpOf({ transport: "stdio", path: "/mcp", share: "session", start: "eager" })).toEqual(stdio.mcp);
  });

  it("can say everything that a bridge can be told, but for its own pace", () => {
    const { args } = launchOf(full, HERE);
    const flags = args.slice(1, args.indexOf("--")).map((word) => word.replace(/^--|=.*$/gs, ""));
    const others = Object.keys(FLAGS).filter((flag) => !flags.includes(flag));
    expect(others).toEqual(["max-starts"]);
  });

  it("gets Node options as its own program's, which its bridge does not follow", () => {
    const env = { NODE_OPTIONS: "--inspect", A: "b" };
    expect(launchEnv(web, env)).toBe(env);
    expect(launchEnv(stdio, env)).toEqual({ XY_BRIDGE_NODE_OPTIONS: "--inspect", A: "b" });
  });
});

describe("what is compared of a server over stdin and stdout", () => {
  it("is what was declared: its hash is that of its spec", () => {
    const { mcp, ...rest } = stdio;
    expect(startHash({ ...rest, mcp })).toBe(startHash(stdio));
    expect(startHash(stdio)).not.toBe(startHash(web));
    for (const [key, value] of Object.entries(full.mcp ?? {}).filter(([name]) => name !== "transport"))
      expect([key, startHash({ ...stdio, mcp: { ...stdio.mcp, [key]: value } as never })]).not.toEqual([
        key,
        startHash(stdio),
      ]);
  });

  it("is nothing new for a server that speaks HTTP", () => {
    const http = { ...web, mcp: mcpOf({ transport: "http", path: "/mcp" }) };
    expect(http.mcp).toEqual({ path: "/mcp" });
    expect(startHash(http)).toBe(startHash(web));
    expect(specHash(http)).toBe(specHash({ ...web, mcp: mcpOf(true) }));
  });
});
