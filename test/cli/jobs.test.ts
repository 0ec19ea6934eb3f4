import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Job } from "../../src/model/job.ts";
import { eventually } from "../rig/eventually.ts";
import { newHome as freshHome, type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

/** Ends with what it was told as its first argument, when it has one. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is a shell that fills it in
const SAYS = 'action "say" { command "sh"; args "-c" "echo said; exit ${1:-0}" "say"; tags "talk" "x"; }\n';
/** Goes on until it is stopped. */
const WAITS = 'action "wait" { command "sh"; args "-c" "echo waits; exec sleep 600"; }\n';
const ALONE = `project "tools"\n${SAYS}${WAITS}`;

async function jobs(home: Home, ...flags: string[]): Promise<Job[]> {
  return ((await home.json("jobs", "--limit", "1000", ...flags)) as { jobs: Job[] }).jobs;
}

/** The number of the first job of a home: its agent may have counted before. */
const firstOf = async (home: Home) => (await jobs(home)).at(-1)?.id ?? 0;

const labels = (found: readonly Job[]) =>
  found.map(({ service_id, action_id }) => `${service_id}:${action_id}`);

describe("what an action prints", () => {
  it("is shown whole, however fast it is printed", async () => {
    const home = newHome();
    home.write("xy.config.kdl", 'project "tools"\naction "count" { command "seq"; args "1" "300000"; }\n');
    await home.did("apply", "--yes");
    const { code, stdout, stderr } = await home.xy("run", "count");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines.findIndex((line, i) => line !== String(i + 1))).toBe(-1);
    expect(lines).toHaveLength(300_000);
  });
});

describe("provenance", () => {
  it("of a server's jobs is the server and the action, of one that stands alone the action only", async () => {
    const home = newHome();
    home.write("xy.config.kdl", ALONE);
    home.declare("web", SAYS);
    await home.did("apply", "--yes");
    expect(await home.did("run", "web:say")).toBe("said\n");
    expect(await home.did("run", "say")).toBe("said\n");
    const first = await firstOf(home);
    expect(await jobs(home)).toMatchObject([
      {
        id: first + 2,
        service_id: null,
        action_id: "say",
        trigger: "person",
        phase: "succeeded",
        tags: ["talk", "x"],
      },
      {
        id: first + 1,
        service_id: "web",
        action_id: "say",
        trigger: "person",
        phase: "succeeded",
        exit_code: 0,
      },
      { id: first, service_id: "web", action_id: "main", trigger: "apply", phase: "running" },
    ]);
    const { pid } = (await home.servers()).web ?? {};
    expect(await home.json("job", "show", `${first}`)).toMatchObject({
      pid,
      spec: { name: "web", command: "sh" },
    });
    expect(await home.json("job", "show", `${first + 2}`)).toMatchObject({
      service_id: null,
      spec: { server: null },
    });
  });

  it("is the same when a job is retried, and what runs is what ran then", async () => {
    const home = newHome();
    home.declare("web", SAYS);
    await home.did("apply", "--yes");
    expect(await home.xy("run", "web:say", "--", "7")).toMatchObject({ code: 7, stdout: "said\n" });
    home.declare("web", SAYS.replace("echo said", "echo changed"));
    await home.did("apply", "--yes");
    const [{ id } = { id: 0 }] = await jobs(home, "--action", "say");
    const again = (await home.json("job", "retry", `${id}`)) as Job;
    expect(again).toMatchObject({
      id: id + 1,
      service_id: "web",
      action_id: "say",
      trigger: "retry",
      retry_of: id,
    });
    expect(await home.did("job", "logs", `${again.id}`, "--follow")).toBe("[out] said\n");
    expect(await home.json("job", "show", `${again.id}`)).toMatchObject({ phase: "failed", exit_code: 7 });
    expect(await home.did("run", "web:say")).toBe("changed\n");
  });

  it("is asked for by server, action, phase, tag and time, and told page by page", async () => {
    const home = newHome();
    home.write("xy.config.kdl", ALONE);
    home.declare("web", SAYS);
    home.declare("web2", SAYS);
    await home.did("apply", "--yes");
    for (const action of ["say", "web:say", "web2:say"]) await home.did("run", action);
    await home.xy("run", "web:say", "--", "3");
    const all = await jobs(home);
    expect(labels(all).slice(0, 4)).toEqual(["web:say", "web2:say", "web:say", "null:say"]);
    // Two servers come up in either order.
    expect(labels(all).slice(4).sort()).toEqual(["web2:main", "web:main"]);
    expect(labels(await jobs(home, "--server", "web"))).toEqual(["web:say", "web:say", "web:main"]);
    expect(labels(await jobs(home, "--server", "web2"))).toEqual(["web2:say", "web2:main"]);
    expect(labels(await jobs(home, "--action", "main"))).toHaveLength(2);
    expect(labels(await jobs(home, "--phase", "failed"))).toEqual(["web:say"]);
    expect(labels(await jobs(home, "--tag", "talk", "--server", "web2"))).toEqual(["web2:say"]);
    expect(await jobs(home, "--since", "1h")).toHaveLength(6);
    expect(await jobs(home, "--project", "other")).toEqual([]);
    const pages: number[] = [];
    for (let cursor: number | null = 1_000_000; cursor !== null; ) {
      const page = (await home.json("jobs", "--limit", "4", "--cursor", String(cursor))) as {
        jobs: Job[];
        next_cursor: number | null;
      };
      pages.push(...page.jobs.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(pages).toEqual(all.map(({ id }) => id));
  });
});

describe("a clean restart", () => {
  /** Two servers, one named as a beginning of the other, and an action alone: each with jobs that are over. */
  async function lived(home = newHome()): Promise<Home> {
    home.write("xy.config.kdl", ALONE);
    home.declare("web", `${SAYS}${WAITS}`);
    home.declare("web2", SAYS);
    await home.did("apply", "--yes");
    for (const action of ["web:say", "web2:say", "say"]) await home.did("run", action);
    return home;
  }
  const others = ["web2:main", "web2:say", "null:say"];
  const left = async (home: Home) => labels(await jobs(home)).sort();

  it.each(["start", "restart"])("%s removes the jobs of that server, and of no other", async (verb) => {
    const home = await lived();
    await home.did("run", "web:wait", "--detach");
    if (verb === "start") await home.did("stop", "web");
    await home.did(verb, "web");
    expect(await left(home)).toEqual([...others, "web:main"].sort());
    expect(await jobs(home, "--server", "web")).toMatchObject([{ phase: "running", trigger: "person" }]);
    expect((await home.shell("ls ~/.local/state/xy/projects/tools/jobs/servers/web/log")).stdout).toBe("");
  });

  it.each(["start", "restart"])("%s --keep-jobs keeps them, and lets them run", async (verb) => {
    const home = await lived();
    await home.did("run", "web:wait", "--detach");
    if (verb === "start") await home.did("stop", "web");
    await home.did(verb, "web", "--keep-jobs");
    expect(await left(home)).toEqual([...others, "web:main", "web:main", "web:say", "web:wait"].sort());
    expect(await jobs(home, "--action", "wait")).toMatchObject([{ phase: "running" }]);
    expect(await jobs(home, "--server", "web", "--action", "main")).toMatchObject([
      { phase: "running" },
      { phase: "cancelled", error: `its operator ${verb === "start" ? "stopped" : "restarts"} it` },
    ]);
  });

  it("start of a server that runs changes nothing", async () => {
    const home = await lived();
    const before = await jobs(home);
    expect(await home.did("start", "web")).toBe("web: is already running\n");
    expect(await jobs(home)).toEqual(before);
  });

  it("stop keeps them, and removes them when it is told to", async () => {
    const home = await lived();
    await home.did("run", "web:wait", "--detach");
    await home.did("stop", "web");
    expect(await left(home)).toEqual([...others, "web:main", "web:say", "web:wait"].sort());
    await home.did("stop", "web", "--remove-jobs");
    expect(await left(home)).toEqual([...others].sort());
  });

  it("is not made by the restart policy", async () => {
    const home = newHome();
    home.declare("web", `restart { policy "always"; backoff-initial "10ms"; }\n${SAYS}`);
    await home.did("apply", "--yes");
    await home.did("run", "web:say");
    const { pid } = (await home.servers()).web ?? {};
    process.kill(pid ?? 0, "SIGKILL");
    await eventually(async () =>
      expect(await jobs(home, "--server", "web")).toMatchObject([
        { action_id: "main", trigger: "policy", phase: "running" },
        { action_id: "say", phase: "succeeded" },
        { action_id: "main", trigger: "apply", phase: "failed", signal: "SIGKILL" },
      ]),
    );
  });

  it("works when the agent has died, and after its jobs were adopted", async () => {
    const home = await lived(freshHome());
    const { id } = (await home.json("run", "web:wait", "--detach")) as Job;
    await eventually(async () =>
      expect(await home.json("job", "show", `${id}`)).toMatchObject({ phase: "running" }),
    );
    const { pid } = (await home.json("job", "show", `${id}`)) as Job;
    const before = await jobs(home);
    const { pid: agent } = JSON.parse(readFileSync(join(home.state, "agent.json"), "utf8"));
    process.kill(agent, "SIGKILL");
    expect(await eventually(() => jobs(home))).toEqual(before);
    expect(await home.json("job", "show", `${id}`)).toMatchObject({ phase: "running", pid });
    await home.did("restart", "web");
    expect(await left(home)).toEqual([...others, "web:main"].sort());
    expect(() => process.kill(pid ?? 0, 0)).toThrow();
  });
});

describe("xy run", () => {
  it("is the action, for whoever calls it: output, streams, arguments, exit code", async () => {
    const home = newHome();
    home.write(
      "xy.config.kdl",
      'project "tools"\naction "both" { script "#!/bin/sh\\necho out \\"$@\\"; echo err >&2; printf rest; exit 5"; }\n',
    );
    await home.did("apply", "--yes");
    const outcome = await home.xy("run", "both", "--", "--a", "b c", "");
    expect(outcome).toEqual({
      code: 5,
      stdout: "out --a b c \nrest\n",
      stderr: `err\nxy: both failed (exit 5): job ${await firstOf(home)}\n`,
    });
    expect(await home.shell("xy run both 2>/dev/null | head -1")).toMatchObject({ stdout: "out\n" });
  });

  it("shows what there is to run", async () => {
    const home = newHome();
    expect(await home.did("run")).toBe("No actions. Declare some, then run `xy apply`.\n");
    home.write(
      "xy.config.kdl",
      'project "tools"\naction "a" { command "true"; description "Does nothing"; }\n',
    );
    home.declare("web", 'action "b" { command "true"; schedule "0 3 1 1 *" time-zone="UTC"; }\n');
    await home.did("apply", "--yes");
    expect((await home.did("run")).replace(/ +/g, " ").replace(/in \d+ days/, "in N days")).toBe(
      "ACTION SCHEDULE NEXT RUN DESCRIPTION\na - - Does nothing\nweb:b 0 3 1 1 * in N days\n",
    );
  });

  it("cancels its job on Ctrl-C, and nothing of that is left", async () => {
    const home = newHome();
    home.write("xy.config.kdl", ALONE);
    await home.did("apply", "--yes");
    const running = home.xyRunning("run", "wait");
    await running.prints("waits");
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(await jobs(home)).toMatchObject([{ phase: "cancelled", pid: null, signal: "SIGTERM" }]);
  });

  it("and `job logs` go on past the death and the upgrade of the agent, with every line once", async () => {
    const home = freshHome();
    home.write(
      "xy.config.kdl",
      'project "tools"\naction "count" { script "#!/bin/sh\\nfor i in 1 2 3; do echo $i; while [ ! -e ~/go$i ]; do sleep 0.02; done; done; exit 3"; }\n',
    );
    await home.did("apply", "--yes");
    const running = home.xyRunning("run", "count");
    await running.prints("1\n");
    const logs = home.xyRunning("job", "logs", "1", "--follow", "--tail", "1");
    await logs.prints("[out] 1\n");
    const { pid } = JSON.parse(readFileSync(join(home.state, "agent.json"), "utf8"));
    process.kill(pid, "SIGKILL");
    home.write(join(home.path, "go1"), "");
    await Promise.all([running.prints("2\n"), logs.prints("[out] 2\n")]);
    await home.did("agent", "upgrade", "--force");
    for (const i of [2, 3]) home.write(join(home.path, `go${i}`), "");
    const died = "xy: the agent died; waiting for the next one\n";
    expect(await running.ended).toEqual({
      code: 3,
      stdout: "1\n2\n3\n",
      stderr: `${died}xy: count failed (exit 3): job 1\n`,
    });
    expect(await logs.ended).toEqual({ code: 0, stdout: "[out] 1\n[out] 2\n[out] 3\n", stderr: died });
  });

  it("and its relatives say what is wrong with what they were told", async () => {
    const home = newHome();
    home.declare("web", SAYS);
    await home.did("apply", "--yes");
    const id = await firstOf(home);
    for (const [words, code, message] of mistakes(id))
      expect.soft(await home.xy(...words)).toEqual({ code, stdout: "", stderr: `xy: ${message}\n` });
  });
});

/** `id`: that of the job of `web` itself. */
const mistakes = (id: number): [words: string[], code: number, message: string][] => [
  [
    ["run", "nope"],
    1,
    "cannot find action nope: `xy run` lists all actions, `xy apply` adds declared ones; to run a command, write it after --",
  ],
  [["run", "web:sya"], 1, "cannot find action web:sya: did you mean web:say?"],
  [
    ["run", "a:b:c"],
    64,
    'cannot read "a:b:c" as an action: write ACTION or SERVER:ACTION, with PROJECT/ before it if needed',
  ],
  [["job", "show", "99999"], 1, "cannot find job 99999: `xy jobs` lists the jobs that are kept"],
  [["job", "cancel", `${id}`], 1, `cannot cancel job ${id}: it is web itself; stop that`],
  [["job", "retry", `${id}`], 1, `cannot retry job ${id}: it is web itself; restart that`],
  [["job", "delete", `${id}`], 1, `cannot delete job ${id}: it has not ended; cancel it first`],
  [["job", "delete"], 64, "say either the number of a job or --server"],
];

describe("one job", () => {
  it("is shown, cancelled, and deleted with its log", async () => {
    const home = newHome();
    home.write("xy.config.kdl", ALONE);
    await home.did("apply", "--yes");
    const { id } = (await home.json("run", "wait", "--detach")) as Job;
    const log = home.xyRunning("job", "logs", `${id}`, "--follow");
    await log.prints("[out] waits");
    expect(await home.did("job", "show", `${id}`)).toMatch(
      new RegExp(`^job ${id}: wait\n {2}phase: +running\n`),
    );
    expect(await home.xy("run", "wait")).toMatchObject({
      code: 1,
      stderr: `xy: cannot run wait: job ${id} of it has not ended; cancel that, or declare another concurrency\n`,
    });
    expect(await home.did("job", "cancel", `${id}`)).toBe(`job ${id}: cancelled\n`);
    expect(await home.did("job", "cancel", `${id}`)).toBe(`job ${id}: already finished\n`);
    expect(await log.ended).toMatchObject({ code: 0 });
    expect(await home.did("job", "logs", `${id}`)).toBe("[out] waits\n");
    expect(await home.did("job", "delete", `${id}`)).toBe("1 job deleted\n");
    expect(await home.xy("job", "logs", `${id}`)).toMatchObject({ code: 1 });
    expect((await home.shell("find ~/.local/state/xy -path '*jobs*log/*' | wc -l")).stdout.trim()).toBe("0");
  });

  it("of a server's own program has those lines of the server's log that are of its run", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    await home.did("restart", "web", "--keep-jobs");
    const first = await firstOf(home);
    for (const id of [first, first + 1]) expect(await home.did("job", "logs", `${id}`)).toBe("[out] up\n");
    expect(await home.did("logs", "web")).toBe("[out] up\n[out] up\n");
  });
});
