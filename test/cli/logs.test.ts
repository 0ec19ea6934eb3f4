import { describe, expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { type Home, homesInTurn, type Running } from "./cli.ts";

const newHome = homesInTurn();

/** Prints three lines, then what is appended to `more`. */
async function talking(home: Home, name: string): Promise<void> {
  home.write(`${name}.txt`, "");
  home.write(
    `servers.d/${name}.kdl`,
    `command "sh"\nargs "-c" "echo one; echo two >&2; echo three; exec tail -f ${name}.txt"\nworking-dir ".."\nport "none"\nreadiness "log" pattern="^three$"\n`,
  );
}

it("shows the last lines, of one stream or both, of one server or many", async () => {
  const home = newHome();
  await talking(home, "web");
  await talking(home, "longer");
  await home.did("apply", "--yes");
  const lines = (await home.did("logs", "web")).trimEnd().split("\n");
  // Which of two pipes is read first is not told.
  expect(lines.toSorted()).toEqual(["[err] two", "[out] one", "[out] three"]);
  expect(await home.did("logs", "web", "--stream", "err")).toBe("[err] two\n");
  expect(await home.did("logs", "web", "--stream", "out", "-n", "1")).toBe("[out] three\n");
  expect(await home.did("logs", "web", "--tail", "0")).toBe("");
  expect(await home.did("logs", "web", "--since", "1h", "--stream", "err")).toBe("[err] two\n");
  expect(await home.did("logs", "web", "longer", "--stream", "err")).toMatch(
    /^(web {4}\| two\nlonger \| two|longer \| two\nweb {4}\| two)\n$/,
  );
});

it("prints one JSON document a line", async () => {
  const home = newHome();
  await talking(home, "web");
  await home.did("apply", "--yes");
  const lines = (await home.did("logs", "web", "--json", "--stream", "err")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { name: "web", stream: "stderr", line: "two", ts_unix_ms: expect.any(Number) },
  ]);
});

it("follows until it is interrupted", async () => {
  const home = newHome();
  await talking(home, "web");
  await home.did("apply", "--yes");
  const logs = home.xyRunning("logs", "web", "--follow", "--tail", "1", "--stream", "out");
  await logs.prints("three");
  await home.shell("echo four >> web.txt");
  await logs.prints("[out] four\n");
  logs.child.kill("SIGINT");
  expect(await logs.ended).toEqual({ code: 130, stdout: "[out] three\n[out] four\n", stderr: "" });
});

/** Each line that `logs` has printed on stdout, without the stream's tag. */
const linesOf = (logs: Running) =>
  logs.stdout.split("\n").flatMap((line) => /^\[out\] (.*)$/.exec(line)?.[1] ?? []);

it("goes on past the death and the upgrade of the agent, each line once and in order", async () => {
  const home = newHome();
  await talking(home, "web");
  await home.did("apply", "--yes");
  const logs = home.xyRunning("logs", "web", "--follow", "--stream", "out");
  await logs.prints("three");
  // Many in one millisecond, so that the last one does not stand alone in its own.
  await home.shell("seq 4 203 >> web.txt");
  await logs.prints("[out] 203\n");
  const { pid } = (await home.json("agent", "status")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await home.shell("seq 204 403 >> web.txt");
  await logs.prints("[out] 403\n");
  await home.did("agent", "upgrade", "--force");
  await home.shell("seq 404 603 >> web.txt");
  await logs.prints("[out] 603\n");
  expect(((await home.json("agent", "status")) as { pid: number }).pid).not.toBe(pid);
  expect(linesOf(logs)).toEqual(["one", "three", ...Array.from({ length: 600 }, (_, n) => `${n + 4}`)]);
  logs.child.kill("SIGINT");
  expect(await logs.ended).toMatchObject({
    code: 130,
    stderr: "xy: the agent died; waiting for the next one\n",
  });
});

it("follows no agent that was stopped on purpose, and starts none", async () => {
  const home = newHome();
  await talking(home, "web");
  await home.did("apply", "--yes");
  const logs = home.xyRunning("logs", "web", "--follow", "--tail", "1", "--stream", "out");
  await logs.prints("three");
  await home.did("agent", "stop");
  expect(await logs.ended).toEqual({
    code: 2,
    stdout: "[out] three\n",
    stderr: "xy: the agent was stopped, so there is no output to follow; start it with `xy agent start`\n",
  });
  expect(await home.json("agent", "status")).toMatchObject({ running: false });
});

it("ends when the server that it follows is removed", async () => {
  const home = newHome();
  await talking(home, "web");
  await home.did("apply", "--yes");
  const logs = home.xyRunning("logs", "web", "--follow", "--stream", "out");
  await logs.prints("three");
  await home.did("destroy", "--yes");
  expect(await logs.ended).toEqual({ code: 0, stdout: "[out] one\n[out] three\n", stderr: "" });
});

it("ends quietly when nobody reads on", async () => {
  const home = newHome();
  await talking(home, "web");
  await home.did("apply", "--yes");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a shell's
  const piped = home.shell('xy logs -f web --stream out | head -1; echo "${PIPESTATUS[*]}"');
  const feeding = setInterval(() => home.shell("echo more >> web.txt"), 300);
  const { stdout, stderr } = await piped.finally(() => clearInterval(feeding));
  expect({ stdout, stderr }).toEqual({ stdout: "[out] one\n0 0\n", stderr: "" });
});

it("is there for a server that has ended, with its last words", async () => {
  const home = newHome();
  home.write("servers.d/job.kdl", 'command "sh"\nargs "-c" "printf done"\nport "none"\n');
  expect(await home.did("apply", "--yes")).toContain("job: added, ran, and ended with success\n");
  expect(await home.did("logs", "job")).toBe("[out] done\n");
  expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
});

describe("looking into logs", () => {
  /** Prints lines of two kinds in two runs: it ends after the first. */
  const LOOKED_AT = [
    'command "sh"',
    'args "-c" "n=$(cat n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > n; i=0; while [ $i -lt 30 ]; do echo \\"run $n noise $i\\"; i=$((i + 1)); done; echo \\"run $n error 1\\" >&2; echo \\"run $n error 2\\" >&2; echo end; [ $n = 1 ] && exit 3; exec tail -f more.txt"',
    'working-dir ".."',
    'port "none"',
    'readiness "log" pattern="^end$"',
    'restart { policy "always"; backoff-initial "1ms"; }',
  ].join("\n");

  async function looked(home: Home): Promise<void> {
    home.write("more.txt", "");
    home.write("servers.d/web.kdl", LOOKED_AT);
    await home.xy("apply", "--yes");
    await eventually(async () =>
      expect(await home.did("logs", "web", "-n", "200")).toContain("run 2 error 2"),
    );
  }

  it("finds lines by a pattern, counts those, and follows them", async () => {
    const home = newHome();
    await looked(home);
    const errors = ["1 error 1", "1 error 2", "2 error 1", "2 error 2"].map((text) => `[err] run ${text}\n`);
    expect(await home.did("logs", "web", "--grep", "(?i)ERROR \\d$")).toBe(errors.join(""));
    expect(await home.did("logs", "web", "--grep", "error", "-n", "2")).toBe(errors.slice(2).join(""));
    expect(await home.did("logs", "web", "--grep", "error", "--stream", "out")).toBe("");
    const [first] = (await home.did("logs", "web", "--grep", "error", "--json")).split("\n");
    expect(JSON.parse(String(first))).toMatchObject({ stream: "stderr", line: "run 1 error 1" });
    expect(await home.did("logs", "web", "--grep", "error 1", "--timestamps", "-n1")).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d \[err\] run 2 error 1\n$/,
    );
    expect(await home.xy("logs", "web", "--grep", "error(?! 1)")).toMatchObject({
      code: 64,
      stderr:
        'xy: cannot use --grep "error(?! 1)" (character 6): a negative lookahead, (?!…), cannot be used: match what a good line says\n',
    });
    const logs = home.xyRunning("logs", "web", "--grep", "wanted", "-f");
    await home.shell("echo unwanted 1 >> more.txt; echo noise >> more.txt");
    await logs.prints("unwanted 1");
    const { pid } = (await home.json("agent", "status")) as { pid: number };
    process.kill(pid, "SIGKILL");
    await home.shell("echo noise >> more.txt; echo wanted 2 >> more.txt");
    await logs.prints("[out] wanted 2");
    logs.child.kill("SIGINT");
    expect(await logs.ended).toMatchObject({ code: 130, stdout: "[out] unwanted 1\n[out] wanted 2\n" });
  });

  it("shows the run before the newest one, and nothing of that", async () => {
    const home = newHome();
    await looked(home);
    expect(await home.did("logs", "web", "--previous", "-n", "3", "--stream", "err")).toBe(
      "[err] run 1 error 1\n[err] run 1 error 2\n",
    );
    expect(await home.did("logs", "web", "-p")).not.toContain("run 2");
    await home.did("restart", "web");
    expect(await home.did("logs", "web", "-p", "--grep", "error 2")).toBe("[err] run 2 error 2\n");
    home.declare("new");
    await home.did("apply", "--yes");
    expect(await home.xy("logs", "new", "-p")).toMatchObject({
      code: 1,
      stderr:
        "xy: cannot show an earlier run of new: no start before the newest one is on record; `xy logs new` shows all that it printed\n",
    });
  });

  it("shows JSON lines for people, of servers and jobs", async () => {
    const home = newHome();
    const line = JSON.stringify({ level: 40, time: 0, msg: "slow", took: 12 }).replaceAll('"', '\\\\\\"');
    home.write(
      "servers.d/web.kdl",
      `command "sh"\nargs "-c" "echo ${line}; echo plain; exec sleep 600"\nport "none"\nreadiness "log" pattern="^plain$"\n`,
    );
    await home.did("apply", "--yes");
    const shown = /^\[out\] \d\d:00:00\.000 WARN {2}slow took=12\n\[out\] plain\n$/;
    expect(await home.did("logs", "web", "--pretty")).toMatch(shown);
    const { jobs } = (await home.json("jobs")) as { jobs: { id: number }[] };
    expect(await home.did("job", "logs", String(jobs[0]?.id), "--pretty")).toMatch(shown);
    expect(await home.did("job", "logs", String(jobs[0]?.id), "--grep", "^pl")).toBe("[out] plain\n");
    expect((await home.xy("logs", "web", "--pretty", "--json")).code).toBe(64);
  });
});
