import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { freePort, type Home, homesInTurn, LISTENER, takenPort } from "./cli.ts";

const newHome = homesInTurn();

/** A server that never listens itself, as `docker run -p` does: somebody else listens in its place. */
function declare(home: Home, port: number, more: object = {}, file = "servers.d/web.json"): void {
  const server = { command: "sleep", args: ["600"], port, ...more };
  home.write(file, JSON.stringify(server));
}

it("any listener counts where that is said, and nobody may have the port before the first start", async () => {
  const home = newHome();
  const port = await freePort();
  declare(home, port, { readiness: { owner: "any" } });
  expect(await home.did("plan")).toContain(
    `warning: web: owner "any" for readiness and liveness: any program that listens on port ${port} counts as this server\n`,
  );
  await takenPort(port);
  const { code, stdout } = await home.xy("plan");
  expect(stdout).toContain(`error: web: cannot listen: port ${port} is held by pid ${process.pid} (`);
  expect(code).toBe(1);
});

it("who starts to listen in its place is expected, also by a plan that restarts it", async () => {
  const home = newHome();
  const port = await freePort();
  declare(home, port, { readiness: { owner: "any" }, liveness: { interval: "1s" } });
  await home.did("apply", "--yes", "--no-wait");
  const before = (await home.servers()).web;
  await takenPort(port);
  await eventually(async () => expect(await home.servers()).toMatchObject({ web: { ready: true } }));
  expect(await home.did("status", "web")).toMatch(
    new RegExp(
      `ready: +yes: pid ${process.pid} \\(.*\\) listens in its place \\(owner "any"\\) on 127.0.0.1:${port}`,
    ),
  );
  declare(home, port, { readiness: { owner: "any" }, env: { NEW: "1" } });
  expect((await home.xy("plan")).stdout).not.toContain("error:");
  // Said of neither check: the same listener is a stranger's, and the way out is told.
  declare(home, port, {});
  const told = await home.xy("apply", "--yes", "--wait-timeout", "500ms");
  expect(told.stdout).toMatch(
    /is held by another process: pid \d+ \(.*\); if it listens in place .*owner "any"/,
  );
  expect((await home.servers()).web?.pid).toBe(before?.pid);
});

it("a holder of a port that is a server of another project is named, by plan and by a start that fails", async () => {
  const home = newHome();
  const port = await freePort();
  const listens = { command: "node", args: ["-e", LISTENER], port, env: { PORT: `${port}` } };
  home.write("servers.d/web.json", JSON.stringify(listens));
  await home.did("apply", "--yes");
  const other = join(home.path, "other", "second");
  mkdirSync(other, { recursive: true });
  home.write(join(other, "servers.d/api.json"), JSON.stringify(listens));
  const held = `port ${port} is held by xy's own tools/web: pid `;
  const plan = await home.xyIn({ cwd: other }, "plan");
  expect(plan).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`error: api: cannot listen: ${held}`),
  });

  // What is taken in between is told by the start.
  await home.did("stop", "web");
  await home.xyIn({ cwd: other }, "apply", "--yes");
  await home.xyIn({ cwd: other }, "stop", "api");
  await home.did("start", "web");
  await home.xyIn({ cwd: other }, "start", "api");
  await eventually(async () =>
    expect((await home.xyIn({ cwd: other }, "status", "api")).stdout).toContain(`cannot start: ${held}`),
  );
});

it("what a person's look finds is told by list and status until the next look", async () => {
  const home = newHome();
  const port = await freePort();
  const program = `let ok = true; process.on("SIGUSR2", () => { ok = false; });
    require("http").createServer((q, r) => r.writeHead(ok ? 200 : 503).end()).listen(${port}, "127.0.0.1")`;
  const readiness = { type: "http", interval: "1h" };
  home.write(
    "servers.d/web.json",
    JSON.stringify({ command: "node", args: ["-e", program], port, readiness }),
  );
  await home.did("apply", "--yes");
  const { pid } = (await home.servers()).web as { pid: number };
  process.kill(pid, "SIGUSR2");
  await eventually(async () => expect((await home.xy("probe", "web")).code).toBe(1));
  expect(await home.servers()).toMatchObject({ web: { pid, ready: false, restart_count: 0 } });
  expect(await home.did("list")).toMatch(/web +running +no /);
  expect(await home.did("status", "web")).toMatch(/ready: +no: GET \/: 503 Service Unavailable/);
});

it("a look that is under way when the time is over is waited for: what was seen before it is out of date", async () => {
  const home = newHome();
  home.trusts();
  for (const [name, code] of [
    ["hung", 1],
    ["late", 0],
  ] as const) {
    const look = `sleep 1.5; echo looked; exit ${code}`;
    const readiness = { type: "command", command: "sh", args: ["-c", look], timeout: "20s" };
    const server = { command: "sleep", args: ["600"], port: "none", readiness };
    home.write(`servers.d/${name}.json`, JSON.stringify(server));
  }
  const { stdout } = await home.xy("apply", "--yes", "--wait-timeout", "500ms");
  expect(stdout).toMatch(/hung: .*not ready after 500ms: \S+ exit 1: looked/);
  expect(stdout).toMatch(/late: .*ready: \S+ exit 0: looked/);
});

it("nor does a start end before the look that is under way has said whether it is over", async () => {
  const home = newHome();
  home.trusts();
  const readiness = { type: "command", command: "sh", args: ["-c", "sleep 1.2"], timeout: "20s" };
  const server = { command: "sleep", args: ["600"], port: "none", readiness, startTimeout: "600ms" };
  home.write("servers.d/web.json", JSON.stringify(server));
  expect(await home.did("apply", "--yes")).toMatch(/web: .*ready: \S+ exit 0/);
  expect(await home.servers()).toMatchObject({ web: { ready: true, restart_count: 0 } });
});
