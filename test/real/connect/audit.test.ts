import { expect, it } from "vitest";
import type { AuditCheck, AuditReport } from "../../../src/model/audit.ts";
import { audit } from "../../../src/probes/audit/audit.ts";
import { freePort, LAUNCHER, newHome } from "../../cli/cli.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours, PROGRAMS, type RealServer, startServer } from "../../rig/mcp/servers.ts";
import { descendants } from "../../rig/processes.ts";
import { httpServer } from "../../unit/probes/rig.ts";

/** What an audit finds of real servers and bridges. */

const TOKEN = "t0ken";
const CHILD = [process.execPath, PROGRAMS.memory];

async function audited(port: number, token?: string): Promise<AuditReport> {
  const place = {
    address: "127.0.0.1",
    port,
    host: `127.0.0.1:${port}`,
    path: "/mcp",
    token,
    timeoutMs: 60_000,
  };
  const { signal } = new AbortController();
  const report = await audit(`http://${place.host}/mcp`, place, { isExposed: false, signal });
  if (typeof report === "string") throw new Error(report);
  return report;
}

const named = (report: AuditReport, verdict: AuditCheck["verdict"]) =>
  report.checks.filter((check) => check.verdict === verdict).map(({ id }) => id);

const bridge = (more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<RealServer> =>
  startServer(
    (port) => [LAUNCHER, "bridge", "--port", `${port}`, ...more, "--", ...CHILD],
    () => env,
  );

it("finds nothing wrong with xy's bridge, and leaves nothing behind there", async () => {
  const { port, process: child } = await bridge([], { XY_BRIDGE_TOKEN: TOKEN });
  const report = await audited(port, TOKEN);
  const odd = report.checks.filter(({ verdict }) => verdict !== "ok");
  expect(odd.map(({ id, seen }) => [id, seen])).toEqual([
    ["header-mismatch", "it speaks no version without sessions"],
  ]);
  expect(report).toMatchObject({ ok: true, server: expect.stringMatching(/^legacy .*memory/) });
  // Children of sessions that are over.
  await eventually(() =>
    expect(descendants(child.pid ?? 0).filter(({ command }) => command.includes("memory")).length).toBe(0),
  );
  // Whom it does not know the token of, it can tell less.
  const closed = await audited(port);
  expect(named(closed, "wrong")).toEqual([]);
  expect(named(closed, "ok")).toEqual([
    ...["origin-foreign", "origin-null", "origin-port", "host-foreign", "host-rebinding", "preflight"],
    ...["token-missing", "token-wrong"],
  ]);
});

it("says of a bridge without a token only that", async () => {
  const { port } = await bridge(["--share", "all"]);
  const report = await audited(port);
  expect(named(report, "wrong")).toEqual([]);
  expect(named(report, "weak")).toEqual(["token-missing"]);
});

it("finds what is wrong with servers and bridges in use", async () => {
  const everything = await startServer(
    () => [PROGRAMS.everything, "streamableHttp"],
    (port) => ({ PORT: `${port}` }),
  );
  const proxy = await startServer((port) => [
    ...[PROGRAMS.mcpProxy, "--host", "127.0.0.1", "--port", `${port}`],
    ...["--", ...CHILD],
  ]);
  const modern = await startServer(
    () => [ours("modern-only")],
    (port) => ({ PORT: `${port}` }),
  );
  const guards = [
    "origin-foreign",
    "origin-null",
    "origin-port",
    "host-foreign",
    "host-rebinding",
    "preflight",
  ];
  const first = await audited(everything.port);
  expect(named(first, "wrong")).toEqual([...guards, "session-unknown"]);
  expect(named(first, "weak")).toEqual(["token-missing", "session-end", "second-stream"]);
  const second = await audited(proxy.port);
  expect(named(second, "wrong")).toEqual(expect.arrayContaining(guards));
  expect(named(second, "ok")).toContain("session-unknown");
  const third = await audited(modern.port);
  expect(third).toMatchObject({ server: "modern 2026-07-28" });
  expect(named(third, "ok")).toEqual(expect.arrayContaining(["discover", "initialize", "header-mismatch"]));
  expect(named(third, "unknown")).toEqual(expect.arrayContaining(["session-unknown", "second-stream"]));
});

it("tells servers that do the opposite of what is right from those that fail", async () => {
  // It takes whatever it is sent, in one session that everybody shares, and falls over at what is no JSON.
  const port = await httpServer((request, response) => {
    let text = "";
    request.on("data", (piece) => (text += piece));
    request.on("end", () => {
      if (text.startsWith("{torn")) return response.writeHead(500).end();
      const { id, params } = text === "" ? {} : JSON.parse(text);
      const result = { protocolVersion: params?.protocolVersion ?? "x", capabilities: {}, serverInfo: {} };
      const headers = { "Content-Type": "application/json", "Mcp-Session-Id": "7" };
      response.writeHead(200, headers).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    });
  });
  const report = await audited(port, "token");
  expect(report.ok).toBe(false);
  expect(named(report, "ok")).toEqual(["preflight", "discover", "initialize", "second-stream"]);
  expect(named(report, "weak")).toEqual(["session-missing", "bad-json"]);
  const sayings = Object.fromEntries(report.checks.map(({ id, seen }) => [id, seen]));
  expect(sayings).toMatchObject({
    "token-missing": "answered 200, although it has a token",
    "session-id": "the same for two clients, of 1 characters, such as 7",
    "version-offered": "took 1999-01-01 for a version",
  });
});

it("is a command that knows what is declared, and asks nobody else's machine", async () => {
  const home = newHome();
  home.trusts();
  home.write("token.txt", "s3cr3t-token\n");
  const port = await freePort();
  const mcp = { transport: "stdio", share: "all", token: { secret: { file: "../token.txt" } } };
  const [command, ...args] = CHILD;
  const env = { MEMORY_FILE_PATH: home.pathOf("memory.json") };
  home.write("servers.d/notes.json", JSON.stringify({ command, args, port, mcp, env }));
  await home.did("apply", "--yes");
  const url = (await home.did("url", "notes")).trim();
  expect(url).toBe(`http://127.0.0.1:${port}/mcp`);
  const said = await home.did("probe", "--audit", "notes");
  expect(said).toContain("0 wrong, 0 weak, 19 ok, 1 not looked at.");
  expect(await home.json("probe", "--audit", url)).toMatchObject({ ok: true, url });
  // A wrong path of the same server gets no token.
  const elsewhere = await home.did("probe", "--audit", `http://127.0.0.1:${port}/other`);
  expect(elsewhere).toContain("(wants a token)");
  const every = await freePort();
  await startServer(
    () => [PROGRAMS.everything, "streamableHttp"],
    () => ({ PORT: `${every}` }),
    every,
  );
  const wrong = await home.xy("probe", "--audit", `http://127.0.0.1:${every}/mcp`);
  expect(wrong).toMatchObject({ code: 1, stderr: "" });
  // It listens on all interfaces.
  expect(wrong.stdout).toContain("a request without a token: answered 200, to whoever reaches this machine");
  expect(wrong.stdout).toMatch(/ {9}right: 403\. Any page that you visit/);
  const remote = await home.xy("probe", "--audit", "http://example.com/mcp");
  expect(remote).toMatchObject({ code: 64, stderr: expect.stringContaining("it is on another machine") });
  const nobody = await home.xy("probe", "--audit", `http://127.0.0.1:${await freePort()}/mcp`);
  expect(nobody).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("initialize refuses connections"),
  });
  const plain = await home.xy("probe", "--audit", "https://127.0.0.1/mcp");
  expect(plain).toMatchObject({ code: 64, stderr: expect.stringContaining("write a URL such as") });
});
