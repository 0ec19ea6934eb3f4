import { expect } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { readyOn } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

const isDown = { state: "restarting", restartCount: 1 };

test("a paused server that is killed stays down, and comes back when it is resumed", async ({
  agent,
  stage,
}) => {
  await agent.apply(stage.spec("db"), "add", 0);
  const first = await stage.next("db");
  expect(await agent.call("pause", { name: "db" })).toEqual({
    paused: ["db"],
    already_paused: [],
    failed: [],
  });
  expect(await agent.observed("db")).toMatchObject({ state: "running", pid: first.pid });
  process.kill(first.pid, "SIGKILL");
  await eventually(async () => expect(await agent.observed("db")).toMatchObject(isDown));
  const { paused, nextStartAt } = await agent.observed("db");
  expect(paused).toEqual({ at: expect.any(Number), at_unix_ms: expect.any(Number) });
  expect(nextStartAt).toBeUndefined();

  // It was counted, and its backoff of 10 ms is long over when the agents after it have come.
  for (let i = 0; i < 2; i++) {
    await agent.kill();
    await agent.isBack();
    expect(await agent.observed("db")).toMatchObject(isDown);
  }
  expect(stage.count("db")).toBe(1);
  expect(await agent.call("resume", { name: "db" })).toEqual({ resumed: ["db"], not_paused: [], failed: [] });
  const second = await stage.next("db");
  await eventually(async () =>
    expect(await agent.observed("db")).toMatchObject({ state: "running", pid: second.pid }),
  );
  expect((await agent.observed("db")).paused).toBeUndefined();
  expect(await agent.call("resume", { name: "db" })).toEqual({ resumed: [], not_paused: ["db"], failed: [] });
  expect(stage.doubles).toEqual([]);
});

test("a pause with an end is over by itself, also one whose end came while there was no agent", async ({
  agent,
  stage,
}) => {
  await agent.apply(stage.spec("db"), "add", 0);
  const first = await stage.next("db");
  await agent.call("pause", { name: "db", for_ms: 600_000 });
  expect(await agent.call("pause", { all: true, for_ms: 300 })).toMatchObject({ already_paused: ["db"] });
  void first.exit(7);
  const second = await stage.next("db");

  await agent.call("pause", { name: "db", for_ms: 100 });
  await agent.kill();
  void second.exit(7);
  await agent.isBack();
  await stage.next("db");
  await eventually(async () => expect((await agent.observed("db")).paused).toBeUndefined());
  expect(stage.doubles).toEqual([]);
});

test("a person's words and an apply work during a pause, which goes on", async ({ agent, stage }) => {
  const spec = stage.spec("db");
  await agent.apply(spec, "add", 0);
  await stage.next("db");
  await agent.call("pause", { name: "db" });
  await agent.call("restart", { name: "db" });
  await stage.next("db");
  await agent.call("stop", { name: "db" });
  await agent.call("start", { name: "db" });
  await stage.next("db");
  await agent.apply({ ...spec, args: [...spec.args, "more"] }, "restart", 0);
  const last = await stage.next("db");
  expect(last.hello.argv).toContain("more");
  void last.exit(7);
  await eventually(async () => expect(await agent.observed("db")).toMatchObject({ ...isDown, paused: {} }));
  await agent.call("start", { name: "db" });
  await stage.next("db");
  expect(await agent.observed("db")).toMatchObject({ state: "running", paused: {} });
});

test("an apply does not wait for a server that ends during its pause", async ({ agent, stage }) => {
  const spec = stage.spec("db", { readiness: readyOn("never") });
  const first = agent.apply(spec, "add");
  await stage.next("db");
  await agent.call("pause", { name: "db" });
  void agent.call("restart", { name: "db" });
  void (await stage.next("db")).exit(7);
  expect(await first).toMatchObject({
    ok: false,
    message: expect.stringMatching(/^exit 7; .*left stopped$/),
  });
});

test("what the planned end of the agent stopped waits for the end of its pause, what is not paused does not", async ({
  agent,
  stage,
}) => {
  await agent.apply(stage.spec("db"), "add", 0);
  await agent.apply(stage.spec("web"), "add", 0);
  await Promise.all([stage.next("db"), stage.next("web")]);
  await agent.call("pause", { name: "db" });
  await agent.shutdown(false);
  await agent.client();
  await stage.next("web");
  expect(await agent.observed("db")).toMatchObject({ state: "restarting", paused: {} });
  expect(stage.count("db")).toBe(1);
  await agent.call("resume", { all: true });
  await stage.next("db");
});
