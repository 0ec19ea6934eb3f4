import { expect, it } from "vitest";
import { Turns } from "../../../src/agent/servers/turns.ts";

const settled = async (promise: Promise<unknown>) =>
  Promise.race([
    promise.then(
      () => "begun",
      () => "given up",
    ),
    new Promise((r) => setImmediate(r, "waits")),
  ]);

it("lets so many begin at once, and the others in their order", async () => {
  const turns = new Turns(2);
  const [a, b, c, d] = [turns.take(), turns.take(), turns.take(), turns.take()];
  expect(await Promise.all([a, b, c, d].map(({ begun }) => settled(begun)))).toEqual([
    "begun",
    "begun",
    "waits",
    "waits",
  ]);
  const over = await b.begun;
  over();
  over();
  expect(await Promise.all([c, d].map(({ begun }) => settled(begun)))).toEqual(["begun", "waits"]);
  (await a.begun)();
  expect(await settled(d.begun)).toBe("begun");
});

it("has whoever gives up leave the row, and nobody whose turn it is", async () => {
  const turns = new Turns(1);
  const [a, b, c] = [turns.take(), turns.take(), turns.take()];
  b.giveUp(new Error("enough"));
  await expect(b.begun).rejects.toThrow("enough");
  a.giveUp(new Error("too late"));
  (await a.begun)();
  expect(await settled(c.begun)).toBe("begun");
});
