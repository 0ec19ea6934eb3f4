import { spawn } from "node:child_process";
import { once } from "node:events";
import { Client as ModernClient } from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernTransport } from "@modelcontextprotocol/client/stdio";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freePort, Home, LAUNCHER } from "../../cli/cli.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours, PROGRAMS, SERVER_ENV } from "../../rig/mcp/servers.ts";
import { processes } from "../../rig/processes.ts";
import { SupervisordHome, whyNoSupervisord } from "../../rig/supervisord.ts";

/** Official clients, which speak over stdin and stdout, and real servers, which xy runs, that speak over HTTP. */

const home = new Home();
const SECRET = "s3cr3t-of-memory";

function declare(
  name: string,
  args: readonly string[],
  port: number,
  env: object = {},
  more: object = {},
): void {
  const spec = { command: process.execPath, args, port, env: { ...SERVER_ENV, ...env }, ...more };
  home.write(`servers.d/${name}.json`, JSON.stringify({ mcp: true, ...spec }, null, 2));
}

beforeAll(async () => {
  home.trusts();
  home.write("token.txt", `${SECRET}\n`);
  const [every, memory, modern] = [await freePort(), await freePort(), await freePort()];
  declare("every", [PROGRAMS.everything, "streamableHttp"], every, { PORT: `${every}` });
  const mcp = { transport: "stdio", token: { secret: { file: "../token.txt" } } };
  declare("memory", [PROGRAMS.memory], memory, { MEMORY_FILE_PATH: home.pathOf("memory.json") }, { mcp });
  declare("modern", [ours("modern-only")], modern, { PORT: `${modern}` });
  home.declare("plain");
  await home.did("apply", "--yes");
});
afterAll(() => home.close());

const how = (name: string) => ({
  command: process.execPath,
  args: [LAUNCHER, "connect", name],
  env: home.env as Record<string, string>,
  // As an application starts it: in any folder.
  cwd: home.path,
  stderr: "pipe" as const,
});

async function connected(name: string): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  onTestFinished(() => client.close());
  await client.connect(new StdioClientTransport(how(name)));
  return client;
}

const pidOf = async (name: string) => (await home.servers())[name]?.pid ?? 0;
const echo = (client: Client, message: string) => client.callTool({ name: "echo", arguments: { message } });
const echoed = (message: string) => ({ content: [{ type: "text", text: `Echo: ${message}` }] });

describe("xy connect", () => {
  it("lets a client do over stdin and stdout what the server does over HTTP", async () => {
    const client = await connected("tools/every");
    expect(client.getServerVersion()).toMatchObject({ name: "mcp-servers/everything" });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("echo");
    expect(await echo(client, "hi 12345678901234567890")).toMatchObject(echoed("hi 12345678901234567890"));
    const steps: number[] = [];
    const long = { name: "trigger-long-running-operation", arguments: { duration: 0.2, steps: 4 } };
    await client.callTool(long, undefined, { onprogress: ({ progress }) => steps.push(progress) });
    // This client forgets the last one when it comes together with the answer.
    expect(steps.slice(0, 3)).toEqual([1, 2, 3]);
    const { contents } = await client.readResource({ uri: "demo://resource/static/document/features.md" });
    expect(contents).toHaveLength(1);
  });

  it.each(["modern", "every"])("serves a client that finds out the version for itself: %s", async (name) => {
    const client = new ModernClient({ name: "test", version: "1" }, {
      versionNegotiation: { mode: "auto" },
    } as never);
    onTestFinished(() => client.close());
    await client.connect(new ModernTransport(how(`tools/${name}`)));
    const { tools } = await client.listTools();
    const [tool, args, said] =
      name === "modern" ? ["second", {}, "second"] : ["echo", { message: "x" }, "Echo: x"];
    expect(tools.map((one) => one.name)).toContain(tool);
    expect(await client.callTool({ name: tool, arguments: args })).toMatchObject({
      content: [{ type: "text", text: said }],
    });
  });

  it("knows the token of a server, and shows it to nobody", async () => {
    const { port } = (await home.servers()).memory ?? {};
    expect((await fetch(`http://127.0.0.1:${port}/mcp`, { method: "POST" })).status).toBe(401);
    const client = await connected("tools/memory");
    const entities = [{ name: "xy", entityType: "tool", observations: ["keeps servers"] }];
    await client.callTool({ name: "create_entities", arguments: { entities } });
    expect(await client.callTool({ name: "read_graph", arguments: {} })).toMatchObject({
      structuredContent: { entities },
    });
    // A token of its own, under a name of its own.
    const asked = ["connect", "tools/memory", "--open"];
    expect(await home.did(...asked, "--token-env", "MEMORY_FILE_PATH")).toContain('"token":"/');
    expect(await home.xy(...asked, "--token-env", "NOTHING")).toMatchObject({ code: 64 });
    expect(processes().filter(({ command }) => command.includes(SECRET))).toEqual([]);
  });

  it("goes on after restarts of the server, of the bridge and of the agent", async () => {
    const every = await connected("tools/every");
    const memory = await connected("tools/memory");
    await echo(every, "before");
    await home.did("restart", "every", "memory");
    expect(await echo(every, "after")).toMatchObject(echoed("after"));
    expect((await memory.listTools()).tools.length).toBeGreaterThan(3);
    const { pid } = (await home.json("agent", "status")) as { pid: number };
    process.kill(pid, "SIGKILL");
    expect(await echo(every, "without an agent")).toMatchObject(echoed("without an agent"));
    // This one stops the servers, and nobody starts it but who needs it.
    await home.did("agent", "stop");
    const both = await Promise.all([echo(every, "again"), memory.listTools()]);
    expect(both[0]).toMatchObject(echoed("again"));
  });

  it("tells a client that the server died during its call, and serves the next one", async () => {
    const client = await connected("tools/every");
    const steps: number[] = [];
    const args = { name: "trigger-long-running-operation", arguments: { duration: 600, steps: 6000 } };
    const failed = client
      .callTool(args, undefined, { onprogress: ({ progress }) => steps.push(progress) })
      .catch((error: Error) => error.message);
    await eventually(() => expect(steps.length).toBeGreaterThan(0));
    process.kill(await pidOf("every"), "SIGKILL");
    expect(await failed).toContain("lost the answer of tools/every: it closed the connection");
    expect(await echo(client, "next")).toMatchObject(echoed("next"));
  });

  it("leaves a held server alone, and says how to start it", async () => {
    const client = await connected("tools/every");
    await home.did("stop", "every");
    const refused = await echo(client, "x").catch((error: Error) => error.message);
    expect(refused).toContain("it is held; `xy start tools/every` starts it");
    expect((await home.servers()).every).toMatchObject({ state: "stopped", held: true });
    await expect(connected("tools/every")).rejects.toThrow("`xy start tools/every` starts it");
    await home.did("start", "every");
    await eventually(async () => expect(await echo(client, "y")).toMatchObject(echoed("y")));
  });

  it("follows a server to another port", async () => {
    const client = await connected("tools/every");
    const port = await freePort();
    declare("every", [PROGRAMS.everything, "streamableHttp"], port, { PORT: `${port}` });
    await home.did("apply", "--yes");
    expect(await home.did("url", "every")).toBe(`http://127.0.0.1:${port}/mcp\n`);
    expect(await echo(client, "there")).toMatchObject(echoed("there"));
  });

  it.each(["end of input", "SIGTERM"] as const)("ends its session at its own end: %s", async (end) => {
    const { command, args, env } = how("tools/every");
    const child = spawn(command, args, { env, cwd: home.path });
    onTestFinished(() => void child.kill("SIGKILL"));
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (said += text));
    const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    const clientInfo = { name: "t", version: "1" };
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
    say({ id: 1, method: "initialize", params });
    say({ method: "notifications/initialized" });
    say({ id: 2, method: "tools/list" });
    const ended = once(child, "close");
    if (end === "end of input") child.stdin.end();
    else {
      await eventually(() => expect(said).toContain('"id":2'));
      child.kill("SIGTERM");
    }
    expect(await ended).toEqual([0, null]);
    // Nothing but messages, and both answers.
    const messages = said
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(messages.flatMap(({ id }) => id ?? [])).toEqual([1, 2]);
    await eventually(async () =>
      expect(await home.did("logs", "every", "--tail", "20")).toContain("session termination request"),
    );
  });

  it.each([
    [["tools/plain"], 0, "cannot tell the URL of plain: it has no port"],
    [["tools/nobody"], 0, "cannot find server tools/nobody"],
    [["--bogus", "tools/every"], 64, "Unknown flag: --bogus"],
    [[], 64, "cannot tell which server is meant: type `xy connect NAME`"],
  ])("says why it cannot: %j", async (words, code, message) => {
    const asked = `printf '{"jsonrpc":"2.0","id":1,"method":"ping"}\\n' | xy connect ${words.join(" ")}`;
    const outcome = await home.shell(asked);
    expect(outcome).toMatchObject({ code, stderr: expect.stringContaining(message) });
    if (code === 0) expect(outcome.stdout).toContain(message);
  });

  it.skipIf(whyNoSupervisord() !== undefined)(
    "serves a server that supervisord runs, and starts it there",
    async () => {
      const supervisord = new SupervisordHome();
      onTestFinished(() => supervisord.close());
      await supervisord.open();
      const { url, includeDir } = supervisord.site;
      home.write(
        "other/xy.config.kdl",
        `project "other"\nsupervisord { url "${url}"; include-dir "${includeDir}"; }\n`,
      );
      home.trusts(home.pathOf("other"));
      const port = await freePort();
      const spec = { command: process.execPath, args: [ours("modern-only")], port, mcp: true };
      home.write(
        "other/servers.d/unit.json",
        JSON.stringify({ ...spec, backend: "supervisord", env: { PORT: `${port}` } }),
      );
      const there = { cwd: home.pathOf("other") };
      expect(await home.xyIn(there, "apply", "--yes")).toMatchObject({ code: 0 });
      supervisord.ctl("stop", "all");
      const asked = await home.shell(
        `printf '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}\\n' | xy connect other/unit`,
        there,
      );
      expect(JSON.parse(asked.stdout)).toMatchObject({ id: 1 });
      expect(asked.stderr).toBe("");
      await home.xyIn(there, "stop", "unit");
      const held = await home.shell(
        `printf '{"jsonrpc":"2.0","id":1,"method":"ping"}\\n' | xy connect other/unit`,
        there,
      );
      expect(held.stdout).toContain("`xy start other/unit` starts it");
      await home.xyIn(there, "destroy", "--yes");
    },
  );
});
