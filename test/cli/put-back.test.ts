import { beforeEach, expect, test } from "vitest";
import { freePort, type Home, homesInTurn, LISTENER, NEVER_READY } from "./cli.ts";

const newHome = homesInTurn();

let home: Home;
beforeEach(() => {
  home = newHome();
});

const answer = async (port: number) => (await fetch(`http://127.0.0.1:${port}`)).text();

/** Ends at once with 4, and is given up after its second death. */
const BROKEN = `command "sh"
args "-c" "echo boom; exit 4"
restart backoff-initial="10ms" max-retries-per-minute=1
`;

test("ten servers of which one is broken: nine are changed, one is put back and answers as before", async () => {
  const port = await freePort();
  const listener = `command "node"\nargs "-e" ${JSON.stringify(LISTENER)}\nport ${port}\nenv { PORT "{port}" }\n`;
  const names = Array.from({ length: 9 }, (_, i) => `s${i}`);
  home.write("servers.d/web.kdl", listener);
  for (const name of names) home.declare(name);
  await home.did("apply", "--yes");
  expect(await answer(port)).toBe("hello");

  home.write("servers.d/web.kdl", `${BROKEN}port ${port}\n`);
  for (const name of names) home.declare(name, 'env { MODE "two" }');
  const outcome = await home.xy("apply", "--yes");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain("web: cannot restart: exit 4");
  expect(outcome.stdout).toContain("its previous version is back, and ready");
  expect(outcome.stdout).toContain("  | boom");
  expect(outcome.stdout).toContain("Apply failed: 1 failed (web); 9 done");
  expect(await answer(port)).toBe("hello");
  const { summary } = (await home.json("plan")) as { summary: { change: string[]; matching: string[] } };
  expect(summary).toMatchObject({ change: ["web"], matching: names });
  expect(await home.did("history")).toMatch(/^2 .* with failures/);
});

test("a new server that fails is left stopped", async () => {
  home.write(
    "servers.d/web.kdl",
    `command "sleep"\nargs "600"\nport "none"\nreadiness "log" pattern="never"\n`,
  );
  const outcome = await home.xy("apply", "--yes", "--wait-timeout", "500ms");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain("not ready after 500ms");
  expect(outcome.stdout).toContain("it is left stopped");
  expect(await home.servers()).toMatchObject({ web: { state: "stopped", held: false } });
  expect(await home.did("plan")).toContain("1 to change (web)");
});

test("--no-rollback leaves the new version, broken as it is", async () => {
  home.declare("web");
  await home.did("apply", "--yes");
  home.write("servers.d/web.kdl", `${BROKEN}port "none"\n`);
  const outcome = await home.xy("apply", "--yes", "--no-rollback");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).not.toContain("previous version");
  expect(await home.servers()).toMatchObject({ web: { state: "failed" } });
});

test("a server is put back once: when that is not ready either, both are told", async () => {
  home.write("gate", "open");
  home.write(
    "servers.d/web.kdl",
    `command "sh"\nargs "-c" "[ -e gate ] && echo up; exec sleep 600"\nworking-dir ".."\nport "none"\nreadiness "log" pattern="^up$"\n`,
  );
  await home.did("apply", "--yes");
  await home.shell("rm gate");
  home.write("servers.d/web.kdl", `${BROKEN}port "none"\n`);
  const outcome = await home.xy("apply", "--yes", "--wait-timeout", "1s");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toMatch(
    /cannot restart: exit 4.*its previous version is put back, but: not ready after 1s/,
  );
});

test("its secrets come back with it", async () => {
  home.write("../token", "s3cr3t-first");
  const told = 'env { TOKEN (file)"~/token" }\n';
  home.write(
    "servers.d/web.kdl",
    `command "sh"\nargs "-c" "case $TOKEN in *-first) echo up;; esac; exec sleep 600"\nport "none"\n` +
      `readiness "log" pattern="^up$"\n${told}`,
  );
  await home.did("apply", "--yes");
  home.write("../token", "s3cr3t-second");
  const outcome = await home.xy("apply", "--yes", "--wait-timeout", "1s");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain("its previous version is back, and ready");
});

/** An apply that waits for a new version which runs and never becomes ready. */
async function waitingApply() {
  home.declare("web");
  await home.did("apply", "--yes");
  home.write("servers.d/web.kdl", NEVER_READY);
  const waiting = home.xyRunning("apply", "--yes");
  await waiting.prints("web: restarting");
  await expect.poll(async () => (await home.servers()).web).toMatchObject({ state: "running", ready: null });
  return waiting;
}

test("a stop while an apply waits is the operator's word, and no verdict on the new version", async () => {
  const waiting = await waitingApply();
  await home.did("stop", "web");
  const { stdout } = await waiting.ended;
  expect(stdout).not.toContain("previous version");
  expect(await home.did("plan")).toContain("No changes");
});

test("an agent that is stopped while an apply waits starts nothing again", async () => {
  const waiting = await waitingApply();
  await home.did("agent", "stop");
  expect(await waiting.ended).toMatchObject({ code: 1 });
  expect(await home.json("agent", "status")).toEqual({ running: false });
});
