import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { PROJECT, readyOn } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

const needsDb = { dependsOn: [{ server: "db", condition: "ready" as const }] };
const readyWhenTold = { readiness: readyOn("^ready$") };
const READY = { deed: "write", stream: "out", text: "ready\n" } as const;

describe("a server that waits for its dependency", () => {
  test("starts when that is removed: what nobody knows is nobody's obstacle", async ({ agent, stage }) => {
    const db = stage.spec("db", readyWhenTold);
    await agent.apply(db, "add", 0);
    await agent.apply(stage.spec("web", needsDb), "add", 0);
    await stage.next("db");
    expect(await agent.observed("web")).toMatchObject({ state: "stopped", waitsFor: [{ server: "db" }] });
    await agent.apply(db, "remove", 0);
    await stage.next("web");
  });

  test("and is paused after the word to start comes up when it is resumed, also over the agent's death", async ({
    agent,
    stage,
  }) => {
    await agent.apply(stage.spec("db", readyWhenTold), "add", 0);
    const db = await stage.next("db");
    for (const name of ["web", "said"]) await agent.apply(stage.spec(name, needsDb), "add", 0);
    await agent.call("pause", { names: ["web", "said"] });
    const said = agent.call("start", { name: "said" });
    await db.do(READY);
    // A person's word of the pause works as ever.
    await stage.next("said");
    expect(await said).toMatchObject({ started: ["said"] });
    const held = {
      state: "restarting",
      reason: "its start came due while it was paused; starts once it is resumed",
    };
    expect(await agent.observed("web")).toMatchObject(held);
    await agent.kill();
    await agent.isBack();
    await eventually(async () =>
      expect(await agent.observed("db")).toMatchObject({ ready: { status: "ok" } }),
    );
    expect(await agent.observed("web")).toMatchObject({ state: expect.stringMatching(/restarting|stopped/) });
    await agent.call("resume", { name: "web" });
    await stage.next("web");
    expect(stage.count("web")).toBe(1);
  });

  test("goes on waiting when its new version fails and the one before comes back", async ({
    agent,
    stage,
  }) => {
    await agent.apply(stage.spec("db", readyWhenTold), "add", 0);
    const db = await stage.next("db");
    const web = stage.spec("web", needsDb);
    await agent.apply(web, "add", 0);
    const broken = { ...web, program: "/nonexistent", dependsOn: [] };
    expect(await agent.apply(broken, "start", 500)).toMatchObject({
      ok: false,
      message: expect.stringContaining("its previous version is put back, but: waits for db to be ready"),
    });
    await db.do(READY);
    await stage.next("web");
  });
});

describe("a restart of all", () => {
  test("starts nothing that was told to stop meanwhile", async ({ agent, stage }) => {
    for (const name of ["slow", "web"]) await agent.apply(stage.spec(name), "add", 0);
    const [slow] = await Promise.all([stage.next("slow"), stage.next("web")]);
    await slow.do({ deed: "ignore", signal: "SIGTERM" });
    const restarted = agent.call("restart", { all: true });
    await eventually(async () => expect(await agent.observed("web")).toMatchObject({ state: "stopped" }));
    await agent.call("stop", { name: "web" });
    process.kill(slow.pid, "SIGKILL");
    expect(await restarted).toMatchObject({
      restarted: ["slow"],
      failed: [{ name: "web", message: "cannot restart web: it was told to stop meanwhile" }],
    });
    expect(await agent.observed("web")).toMatchObject({ state: "stopped", operator: "stop" });
    expect(stage.count("web")).toBe(1);
  });

  test("starts nothing while the agent is being stopped; the next agent does", async ({ agent, stage }) => {
    for (const name of ["slow", "web"]) await agent.apply(stage.spec(name), "add", 0);
    const [slow] = await Promise.all([stage.next("slow"), stage.next("web")]);
    await slow.do({ deed: "ignore", signal: "SIGTERM" });
    const client = await agent.client();
    const stopping = client.call("agent_shutdown", {});
    await eventually(async () => expect(await agent.observed("web")).toMatchObject({ state: "stopped" }));
    await expect(agent.call("start", { name: "web" })).rejects.toThrow("the agent is being stopped");
    process.kill(slow.pid, "SIGKILL");
    expect((await stopping).stopped.sort()).toEqual(["slow", "web"]);
    expect(stage.count("web")).toBe(1);
    await client.closed;
    await agent.client();
    await Promise.all([stage.next("slow"), stage.next("web")]);
  });
});

test("a run folder with junk in it is taken up", async ({ agent, stage }) => {
  await agent.apply(stage.spec("web"), "add", 0);
  const { pid } = await stage.next("web");
  const run = join(agent.state, "projects", PROJECT, "servers/web/run/1");
  mkdirSync(join(run, "probe-7.json/deep"), { recursive: true });
  await agent.kill();
  await agent.isBack();
  expect(await agent.observed("web")).toMatchObject({ state: "running", pid });
  await agent.call("stop", { name: "web" });
});
