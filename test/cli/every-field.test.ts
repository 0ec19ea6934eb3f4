import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { actionInput } from "../../src/model/action-input.ts";
import { STDIO_KEYS } from "../../src/model/mcp-fields.ts";
import { serverInput } from "../../src/model/server.ts";
import { PROGRAMS } from "../rig/mcp/servers.ts";
import { asJson, asKdl, asTypeScript, asYaml } from "../unit/config/writers.ts";
import { freePort, LISTENER, newHome } from "./cli.ts";

type ActionInput = z.input<typeof actionInput>;
type ServerInput = z.input<typeof serverInput>;

/** A server that says something about everything. */
function everything(port: number, user: string): ServerInput {
  return {
    command: "node",
    args: ["-e", LISTENER, "--", "{name}", "{project}", "{home}", "{env.GREETING}", "{{port}}", ""],
    port,
    portFlag: "--port",
    host: "127.0.0.1",
    mcp: { path: "/rpc" },
    env: {
      PORT: "{port}",
      GREETING: 'good "day" {name}',
      FROM_ENV: { secret: { env: "XY_TEST_SECRET" } },
      FROM_FILE: { secret: { file: "secret.txt" } },
      FROM_COMMAND: { secret: { command: "echo from a command" } },
    },
    envFile: ["more.env"],
    workingDir: "work",
    umask: "077",
    restart: {
      policy: "always",
      backoffInitial: "250ms",
      backoffMax: "1m30s",
      maxRetriesPerMinute: 3,
      resetAfter: "5s",
      successExitCodes: [0, 3],
    },
    startTimeout: "2m",
    stop: { grace: "2s", signal: "SIGINT", descendants: "all" },
    readiness: {
      type: "tcp",
      owner: "own",
      interval: "1s",
      timeout: "1s",
      startPeriod: "10s",
      failureThreshold: 2,
      successThreshold: 1,
    },
    liveness: {
      type: "tcp",
      port,
      owner: "any",
      interval: "10s",
      timeout: "3s",
      startPeriod: "5s",
      failureThreshold: 4,
    },
    dependsOn: [{ server: "first", condition: "started" }],
    logs: { maxSize: "64KiB", keep: 2 },
    wanted: "start",
    limits: { openFiles: 512 },
    description: "All of it",
    tags: ["a", "b c"],
    actions: { command: commandAction, script: scriptAction },
    when: { os: ["linux", "macos"], user },
    on: [
      { when: { user, os: ["linux", "macos"] }, description: "All of it here", env: { HERE: "{name}" } },
      { when: { host: "another" }, command: "not-there", port: "none", tags: ["b"] },
    ],
    backend: "agent",
    class: "user",
  };
}

const commandAction: ActionInput = {
  command: "sh",
  args: ["-c", "exit 0", "{name}", "{env.GREETING}", "{{port}}"],
  env: { MORE: "{project}", GREETING: "good day", SECRET: { secret: { env: "XY_TEST_SECRET" } } },
  workingDir: "work",
  umask: "027",
  timeout: "5m",
  grace: "1s",
  stopSignal: "SIGINT",
  after: ["script"],
  retries: { max: 2, backoffInitial: "250ms", backoffMax: "2s" },
  schedule: { cron: "30 2 1 1 *", timeZone: "Europe/Berlin", missed: "skip" },
  concurrency: "replace",
  description: "All of it",
  tags: ["a", "b c"],
};

const scriptAction: ActionInput = {
  script: 'echo "$1"\nexit 0\n',
  interpreter: ["sh", "-e"],
  timeout: "none",
  retries: 1,
  schedule: "@yearly",
};

const HTTP = `require("http").createServer((_, r) => { r.statusCode = 204; r.end(); })
  .listen(process.env.PORT, "127.0.0.1")`;

/** Says the rest about probes. */
function probed(port: number): ServerInput {
  return {
    command: "node",
    args: ["-e", HTTP],
    port,
    env: { PORT: "{port}" },
    readiness: { type: "http", path: "/health", status: [200, 204], port, interval: "1s" },
    liveness: { type: "command", command: "test", args: ["{port}", "-eq", String(port)], timeout: "5s" },
  };
}

/** Says everything about a server over stdin and stdout. */
function bridged(port: number): ServerInput {
  return {
    command: "node",
    args: [PROGRAMS.memory, "--port", "a b", ""],
    port,
    mcp: {
      transport: "stdio",
      path: "/rpc",
      share: "all",
      start: "on-demand",
      idleStop: "1m30s",
      maxSessions: 7,
      maxChildren: 3,
      capabilities: ["sampling", "elicitation"],
      allowHosts: ["dev.local"],
      allowOrigins: ["https://app.example"],
      token: { secret: { env: "XY_TEST_SECRET" } },
    },
    env: { MEMORY_FILE_PATH: "{home}/memory.jsonl" },
  };
}

const first: ServerInput = { command: "sleep", args: ["600"], port: "none" };

/** Written in one format, applied, and applied again. */
describe("applying twice changes nothing the second time", () => {
  it.each([
    ["xy.config.kdl", asKdl],
    ["xy.config.yaml", asYaml],
    ["xy.config.json", asJson],
    ["xy.config.ts", asTypeScript],
  ])("%s", async (file, write) => {
    const home = newHome();
    home.trusts();
    const server = everything(
      await freePort(),
      process.env.USER ?? (await home.shell("id -un")).stdout.trim(),
    );
    expect(Object.keys(server).sort()).toEqual(Object.keys(serverInput.shape).sort());
    const stdio = bridged(await freePort());
    expect(Object.keys(stdio.mcp as object).sort()).toEqual([...STDIO_KEYS, "path", "transport"].sort());
    expect(Object.keys({ ...commandAction, ...scriptAction }).sort()).toEqual(
      Object.keys(actionInput.shape).sort(),
    );
    mkdirSync(join(home.project, "work"));
    home.write("secret.txt", "s3cr3t from a file\n");
    home.write("more.env", "IN_A_FILE='of many'\n");
    home.write(
      file,
      write({
        actions: { alone: { ...commandAction, args: [] }, script: scriptAction },
        servers: { first, web: server, probed: probed(await freePort()), bridged: stdio },
      }),
    );
    const env = { XY_TEST_SECRET: "s3cr3t-from-the-environment" };

    const applied = await home.xyIn({ env }, "apply", "--yes");
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    expect(applied.stdout).toContain("Apply complete: 8 added, 0 changed, 0 removed.\n");
    const pids = Object.values(await home.servers()).map(({ pid }) => pid);

    const nothing = "No changes. 4 servers match the configuration.\n";
    const again = await home.xyIn({ env }, "apply", "--yes");
    expect(again).toEqual({ code: 0, stdout: nothing, stderr: "" });
    expect(await home.xyIn({ env }, "plan", "--detailed-exitcode")).toEqual({
      code: 0,
      stdout: nothing,
      stderr: "",
    });
    expect(Object.values(await home.servers()).map(({ pid }) => pid)).toEqual(pids);
  });
});
