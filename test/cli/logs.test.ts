import { expect, it } from "vitest";
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
