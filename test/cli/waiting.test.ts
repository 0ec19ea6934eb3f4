import { beforeEach, expect, test } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { type Home, homesInTurn, NEVER_READY } from "./cli.ts";

const newHome = homesInTurn();

let home: Home;
beforeEach(() => {
  home = newHome();
});

/** Runs, and is ready once the project's folder has a file `open`. */
const GATED = `command "sh"
args "-c" "until [ -e open ]; do sleep 0.05; done; echo up; exec sleep 600"
working-dir ".."
port "none"
readiness "log" pattern="^up$"
`;
/** What is said of a server whose line has not come yet. */
const notReady = (pattern: string) => `running, not ready: no line of output matches ${pattern} yet`;
const NOT_READY = notReady("^up$");
const IMPATIENT = ["apply", "--yes", "--no-rollback", "--wait-timeout", "300ms"];

/** `db` runs and is not ready; `web` waits for it. */
async function webWaits(): Promise<void> {
  home.write("servers.d/db.kdl", GATED);
  home.declare("web", 'depends-on "db"');
  expect(await home.xy(...IMPATIENT)).toMatchObject({ code: 1 });
}

async function isReady(...names: string[]): Promise<void> {
  await eventually(async () => {
    const servers = await home.servers();
    for (const name of names) expect(servers[name]).toMatchObject({ ready: true });
  });
}

test("a server whose dependency is not ready waits, says so everywhere, and starts when it is, however late", async () => {
  await webWaits();
  const waits_for = [{ server: "db", condition: "ready", state: NOT_READY, resting: false }];
  expect(await home.servers()).toMatchObject({
    db: { state: "running" },
    web: { state: "stopped", waits_for },
  });
  expect(await home.json("status", "web")).toMatchObject({ state: "stopped", waits_for });
  expect(await home.did("list")).toMatch(/^web +waits for db +- /m);
  expect(await home.did("status", "web")).toMatch(/^ +waits for: +db to be ready: running, not ready: /m);
  expect(await home.did("why", "web")).toBe(
    `web is waiting for db to be ready (now ${NOT_READY}). It starts automatically once that happens. ` +
      "`xy start --no-deps web` starts it now, `xy stop web` ends the wait.\n",
  );

  const { code, stdout } = await home.xy("plan", "--detailed-exitcode");
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout:
      `waiting: web waits for db to be ready: ${NOT_READY}\n\n` +
      "No changes. 2 servers match the configuration. But not all of them are up: waiting: web.\n",
  });

  home.write("open", "");
  await isReady("db", "web");
  expect(await home.did("plan")).toBe("No changes. 2 servers match the configuration.\n");
});

test("the wait outlives the agent, killed or told to end", async () => {
  await webWaits();
  const { pid } = (await home.json("agent", "status")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await eventually(async () => {
    expect(await home.json("agent", "status")).toMatchObject({
      running: true,
      pid: expect.not.toSatisfy((p) => p === pid),
    });
  });
  expect(await home.servers()).toMatchObject({ web: { state: "stopped", waits_for: [{ server: "db" }] } });

  await home.did("agent", "stop");
  expect(await home.servers()).toMatchObject({ web: { state: "stopped", waits_for: [{ server: "db" }] } });
  home.write("open", "");
  await isReady("web");
});

test("a stop ends the wait, and holds", async () => {
  await webWaits();
  expect(await home.did("stop", "web")).toBe("web: was not running; it is held now\n");
  home.write("open", "");
  await isReady("db");
  const { web } = await home.servers();
  expect(web).toMatchObject({ state: "stopped", held: true });
  expect(web).not.toHaveProperty("waits_for");
});

test("a changed spec goes on waiting, and what no longer needs anything starts", async () => {
  await webWaits();
  home.declare("web", 'depends-on "db"\numask "077"');
  expect((await home.xy(...IMPATIENT)).stdout).toContain("Apply not complete: 1 waiting (web).");
  expect(await home.did("plan")).toContain("No changes. 2 servers match the configuration. But");
  home.declare("web");
  await home.did("apply", "--yes");
  await isReady("web");
});

test("one apply brings up both, each as it is declared now", async () => {
  await webWaits();
  home.declare("db");
  home.declare("web", 'depends-on "db"\nenv {\n  A "1"\n}');
  expect(await home.did("apply", "--yes")).toContain("Apply complete: 0 added, 2 changed, 0 removed.\n");
  expect(await home.did("plan")).toBe("No changes. 2 servers match the configuration.\n");
});

test("what runs is not restarted while its dependency is not ready", async () => {
  home.declare("web");
  home.write("servers.d/db.kdl", NEVER_READY);
  await home.xy(...IMPATIENT);
  const { pid } = (await home.servers()).web ?? {};
  home.declare("web", 'depends-on "db"\nenv {\n  A "1"\n}');
  const outcome = await home.xy(...IMPATIENT);
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain(
    `web: not restarted: left as it is, since the new version waits for db to be ready: ${notReady("never")}\n`,
  );
  expect(await home.servers()).toMatchObject({ web: { pid, ready: true } });
  expect(await home.did("plan")).toContain("web will be changed and restarted");
});

test("without waiting, everything is handed over, and the agent keeps the order", async () => {
  home.write("servers.d/db.kdl", GATED);
  home.declare("web", 'depends-on "db"');
  home.declare("app", 'depends-on "web"');
  const told = await home.did("apply", "--yes", "--no-wait");
  expect(told).toContain(`web: added, waits for db to be ready: ${NOT_READY}\n`);
  expect(told).toContain("app: added, waits for web to be ready: waiting for db\n");
  home.write("open", "");
  await isReady("web", "app");
});

test("a start brings up what the server needs; what is held it waits for, until that is started", async () => {
  home.declare("db");
  home.declare("api", 'depends-on "db"');
  home.declare("web", 'depends-on "api"');
  await home.did("apply", "--yes");
  await home.did("stop", "--all");
  await home.did("start", "api", "db");
  await home.did("stop", "web");
  // Not held, and at rest: an end that its policy accepts.
  expect(await home.did("start", "web")).toBe("web: started\n");

  await home.did("stop", "--all");
  const waits = await home.xy("start", "web");
  expect(waits).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "xy: web waits for api to be ready: held; it starts automatically once that happens (run `xy start api db`)\n",
  });
  expect(await home.xy("start", "api")).toMatchObject({ code: 1 });
  expect(await home.did("list")).toMatch(/^web +waits for api /m);
  await home.did("start", "db");
  await isReady("api", "web");

  await home.did("stop", "--all");
  expect(await home.did("start", "--no-deps", "web")).toBe("web: started\n");
  expect(await home.did("start", "web", "api", "db")).toBe(
    "api: started\ndb: started\nweb: is already running\n",
  );
});

test("a start runs a task again that has failed, for whoever needs it completed", async () => {
  const task = (text: string) =>
    home.write(
      "servers.d/seed.kdl",
      `command "sh"\nargs "-c" "${text}"\nworking-dir ".."\nport "none"\nrestart policy="never"\n`,
    );
  task("[ -e open ] || exit 7");
  home.declare("web", 'depends-on "seed" condition="completed"');
  expect(await home.xy("apply", "--yes")).toMatchObject({ code: 1 });
  expect(await home.did("why", "web")).toContain(
    "is waiting for seed to complete (now stopped: ended: exit 7).",
  );
  expect(await home.xy("start", "web")).toMatchObject({ code: 1 });
  home.write("open", "");
  expect(await home.did("start", "web")).toBe("seed: started\nweb: started\n");
});

/** Each needs those before it that are named: seven of them in a diamond, and three that are needed by all. */
const DIAMOND: Readonly<Record<string, readonly string[]>> = {
  z: [],
  y: ["z"],
  x: ["z"],
  w: ["y", "x"],
  v: ["w"],
  u: ["w"],
  t: ["w"],
  s: ["v", "u"],
  r: ["s", "t", "x"],
  a: ["r"],
};

test("ten servers in a diamond come up in order and go down in reverse, whoever starts and stops them", async () => {
  for (const [name, needs] of Object.entries(DIAMOND)) {
    home.write(
      `servers.d/${name}.kdl`,
      [
        'command "bash"',
        `args "-c" "exec 2>/dev/null; trap 'echo down; exit 0' TERM; echo begun; sleep 0.1; echo up; while :; do sleep 600 & wait; done"`,
        'port "none"',
        'readiness "log" pattern="^up$"',
        ...needs.map((needed) => `depends-on "${needed}"`),
      ].join("\n"),
    );
  }
  const names = Object.keys(DIAMOND);
  await home.did("apply", "--yes");
  await home.did("restart", "--all");
  await isReady(...names);
  await home.did("stop", "--all");
  await home.did("start", "--all");
  await isReady(...names);
  await home.did("agent", "stop");
  await home.did("agent", "start");
  await isReady(...names);
  await home.did("stop", "--all");

  const heard = new Map<string, Said[]>();
  for (const name of names) heard.set(name, await said(name));
  for (const [name, needs] of Object.entries(DIAMOND)) {
    const own = heard.get(name) ?? [];
    expect(own.map(({ line }) => line)).toEqual(Array(4).fill(["begun", "up", "down"]).flat());
    for (const needed of needs) {
      const other = heard.get(needed) ?? [];
      for (let run = 0; run < 4; run++) {
        expect(own[3 * run]?.ts_unix_ms).toBeGreaterThanOrEqual(other[3 * run + 1]?.ts_unix_ms ?? Infinity);
        expect(own[3 * run + 2]?.ts_unix_ms).toBeLessThanOrEqual(other[3 * run + 2]?.ts_unix_ms ?? 0);
      }
    }
  }
});

interface Said {
  readonly line: string;
  readonly ts_unix_ms: number;
}

async function said(name: string): Promise<Said[]> {
  const lines = (await home.did("logs", name, "--json")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Said);
}

test("start and restart --wait end once servers are ready", async () => {
  home.write(
    "servers.d/web.kdl",
    'command "sh"\nargs "-c" "sleep 0.5; echo up; exec sleep 600"\nport "none"\nreadiness "log" pattern="^up$"\n',
  );
  await home.did("apply", "--yes");
  expect(await home.did("restart", "web", "--wait")).toBe("web: restarted\n");
  expect(await home.servers()).toMatchObject({ web: { state: "running", ready: true } });
  await home.did("stop", "web");
  expect(await home.json("start", "web", "--wait")).toMatchObject({ started: ["web"], failed: [] });
  expect(await home.servers()).toMatchObject({ web: { ready: true } });
});

test("start and restart --wait exit with 1 for one that fails, or takes too long, and says why", async () => {
  home.write(
    "servers.d/bad.kdl",
    'command "sh"\nargs "-c" "exit 7"\nport "none"\nreadiness "log" pattern="up"\nrestart { policy "never"; }\n',
  );
  home.write("servers.d/slow.kdl", NEVER_READY);
  await home.xy("apply", "--yes", "--no-wait");
  const { code, stdout, stderr } = await home.xy("restart", "--all", "--wait", "--wait-timeout", "1s");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^xy: bad is not ready: .*exit 7.*; `xy why bad` says more$/m);
  expect(stderr).toMatch(/^xy: slow is not ready: not ready after 1s: .*; `xy why slow` says more$/m);
  expect(await home.xy("start", "slow", "--wait", "--wait-timeout", "soon")).toMatchObject({ code: 64 });
  expect(await home.xy("start", "slow", "--wait-timeout", "1s")).toMatchObject({ code: 64 });
});
