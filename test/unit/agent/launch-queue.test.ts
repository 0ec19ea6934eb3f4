import { expect, it } from "vitest";
import { LaunchQueue } from "../../../src/agent/servers/launch-queue.ts";

const settled = async (promise: Promise<unknown>) =>
  Promise.race([
    promise.then(
      () => "begun",
      () => "given up",
    ),
    new Promise((r) => setImmediate(r, "waits")),
  ]);

it("limits how many launches run at once, and starts the others in order", async () => {
  const queue = new LaunchQueue(2);
  const [a, b, c, d] = [queue.join(), queue.join(), queue.join(), queue.join()];
  expect(await Promise.all([a, b, c, d].map(({ begun }) => settled(begun)))).toEqual([
    "begun",
    "begun",
    "waits",
    "waits",
  ]);
  const done = await b.begun;
  done();
  done();
  expect(await Promise.all([c, d].map(({ begun }) => settled(begun)))).toEqual(["begun", "waits"]);
  (await a.begun)();
  expect(await settled(d.begun)).toBe("begun");
});

it("lets a launch that has not begun leave the queue", async () => {
  const queue = new LaunchQueue(1);
  const [a, b, c] = [queue.join(), queue.join(), queue.join()];
  b.giveUp(new Error("enough"));
  await expect(b.begun).rejects.toThrow("enough");
  a.giveUp(new Error("too late"));
  (await a.begun)();
  expect(await settled(c.begun)).toBe("begun");
});
