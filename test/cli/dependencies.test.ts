import { beforeEach, expect, test } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { type Home, homesInTurn, NEVER_READY } from "./cli.ts";

const newHome = homesInTurn();

let home: Home;
beforeEach(() => {
  home = newHome();
});

/** A server without a port that runs this shell script in the project's folder. */
function script(name: string, text: string, more: string): void {
  const lines = ['command "sh"', `args "-c" "${text}"`, 'working-dir ".."', 'port "none"', more];
  home.write(`servers.d/${name}.kdl`, `${lines.join("\n")}\n`);
}

/** Ready long before it has done its work. */
const migration = (text: string) =>
  script("migrate", `echo begun; ${text}`, 'readiness "log" pattern="^begun$"\nrestart policy="never"');

/** Fails for good when it starts before the work is done. */
function declareWeb(): void {
  script(
    "web",
    "[ -e mark ] || exit 3; echo up; exec sleep 600",
    'readiness "log" pattern="^up$"\nrestart policy="never"\ndepends-on "migrate" condition="completed"',
  );
}

test("a server waits for the success of what it needs completed, also when that takes a moment", async () => {
  migration("sleep 0.5; touch mark");
  declareWeb();
  const told = await home.did("apply", "--yes");
  expect(told).toContain("migrate: added, ran, and ended with success");
  expect(told.indexOf("web: adding")).toBeGreaterThan(told.indexOf("ran, and ended with success"));
  expect(await home.servers()).toMatchObject({ migrate: { state: "stopped" }, web: { state: "running" } });
  expect(await home.did("apply", "--yes")).toContain("No changes");

  // It is completed already: nobody waits for it, and it does not run again.
  home.declare("web", 'depends-on "migrate" condition="completed"');
  await home.did("apply", "--yes");
  expect(await home.did("logs", "migrate")).toBe("[out] begun\n");
});

test("a server is not started when what it needs completed ends without success, or not in time", async () => {
  migration("exit 7");
  declareWeb();
  const failed = await home.xy("apply", "--yes");
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.stdout).toContain("migrate: cannot add: ended: exit 7");
  expect(failed.stdout).toContain(
    "web: waits for migrate to complete: stopped: ended: exit 7; it starts automatically once that happens (run `xy start migrate`)",
  );
  expect(failed.stdout).toContain("Apply failed: 1 failed (migrate); 1 waiting (web).\n");

  migration("exec sleep 600");
  const late = await home.xy("apply", "--yes", "--wait-timeout", "500ms");
  expect(late).toMatchObject({ code: 1 });
  expect(late.stdout).toContain("not completed after 500ms: running");
  expect(await home.servers()).toMatchObject({ web: { state: "stopped" } });

  // Once its work succeeds, whoever waited for it goes on.
  migration("touch mark");
  await home.did("apply", "--yes");
  await eventually(async () => {
    expect(await home.servers()).toMatchObject({ web: { ready: true } });
  });
});

test("one that is needed started need not be ready, one that is needed ready must be", async () => {
  home.write("servers.d/db.kdl", NEVER_READY);
  home.declare("web", 'depends-on "db" condition="started"');
  expect(await home.did("apply", "--yes")).toMatch(/db: added, running: pid \d+\n(.*\n)*web: added, ready/);

  await home.did("destroy", "--yes");
  home.declare("web", 'depends-on "db"');
  const outcome = await home.xy("apply", "--yes", "--wait-timeout", "500ms");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain("db: cannot add: not ready after 500ms");
  expect(outcome.stdout).toMatch(
    /web: waits for db to be ready: stopped: an apply left it stopped: .*; it starts/,
  );
});

test("without waiting only the order counts", async () => {
  home.write("servers.d/db.kdl", NEVER_READY);
  home.declare("web", 'depends-on "db"');
  const told = await home.did("apply", "--yes", "--no-wait");
  expect(told.indexOf("web: adding")).toBeGreaterThan(told.indexOf("db: added"));
});

test("what depends on a held server waits for it, and says so", async () => {
  home.declare("db");
  await home.did("apply", "--yes");
  await home.did("stop", "db");
  home.declare("web", 'depends-on "db"');
  const outcome = await home.xy("apply", "--yes");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain(
    "web: waits for db to be ready: held; it starts automatically once that happens (run `xy start db`)\n" +
      "Apply not complete: 1 waiting (web).\n",
  );

  await home.did("start", "db");
  await eventually(async () => {
    expect(await home.servers()).toMatchObject({ web: { ready: true } });
  });
  expect(await home.did("apply", "--yes")).toContain("No changes. 2 servers match the configuration.\n");
});

test("a new agent starts each server after what it depends on", async () => {
  // Each is slow to come up, and comes before its dependency by name.
  const link = (name: string, needs = "") =>
    script(
      name,
      "echo begun; sleep 0.2; echo up; exec sleep 600",
      `readiness "log" pattern="^up$"\n${needs}`,
    );
  script("seed", "echo sown", 'restart policy="never"');
  link("a", 'depends-on "b"');
  link("b", 'depends-on "c"');
  link("c", 'depends-on "seed" condition="completed"');
  await home.did("apply", "--yes");
  await home.did("agent", "stop");
  await home.did("agent", "start");
  await eventually(async () => {
    expect(await home.servers()).toMatchObject({ a: { ready: true } });
  });

  const [a, b, c] = [await secondRun("a"), await secondRun("b"), await secondRun("c")];
  expect(b.begun).toBeGreaterThanOrEqual(c.up);
  expect(a.begun).toBeGreaterThanOrEqual(b.up);
  expect(await home.did("logs", "seed")).toBe("[out] sown\n");
});

test("an agent that is stopped while it brings servers up starts no more of them", async () => {
  script("db", "[ -e slow ] || echo up; exec sleep 600", 'readiness "log" pattern="^up$"');
  home.declare("web", 'depends-on "db"');
  await home.did("apply", "--yes");
  await home.did("agent", "stop");
  home.write("slow", "");
  await home.did("agent", "start");
  await eventually(async () => {
    expect(await home.servers()).toMatchObject({ db: { state: "running" }, web: { state: "stopped" } });
  });
  await home.did("agent", "stop");
  await home.shell("rm slow");
  await home.did("agent", "start");
  await eventually(async () => {
    expect(await home.servers()).toMatchObject({ web: { ready: true } });
  });
  // One of the first agent, one of the third, none of the second.
  expect(await home.did("logs", "web")).toBe("[out] up\n[out] up\n");
});

/** When the server printed its two words in its second run, unix ms. */
async function secondRun(name: string): Promise<{ begun: number; up: number }> {
  const lines = (await home.did("logs", name, "--json")).trim().split("\n");
  const heard = lines.map((line) => JSON.parse(line) as { line: string; ts_unix_ms: number });
  expect(heard.map(({ line }) => line)).toEqual(["begun", "up", "begun", "up"]);
  return { begun: heard[2]?.ts_unix_ms ?? 0, up: heard[3]?.ts_unix_ms ?? 0 };
}
