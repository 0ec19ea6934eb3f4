import { expect, it } from "vitest";
import { Coalesced } from "../../../src/backends/units/coalesced.ts";

it("work serves all who ask before it begins, and those who ask meanwhile get the next", async () => {
  const runs: string[][] = [];
  const open: (() => void)[] = [];
  const work = new Coalesced(async (requests: readonly string[]) => {
    runs.push([...requests]);
    await new Promise<void>((resolve) => open.push(resolve));
    return runs.length;
  });
  const next = () => new Promise(setImmediate);
  const first = [work.ask("a"), work.ask("b")];
  await next();
  const second = [work.ask("c"), work.ask("d")];
  await next();
  expect(runs).toEqual([["a", "b"]]);
  open.shift()?.();
  expect(await Promise.all(first)).toEqual([1, 1]);
  await next();
  expect(runs).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
  open.shift()?.();
  expect(await Promise.all(second)).toEqual([2, 2]);
});

it("a failure is that of those who asked for it", async () => {
  let runs = 0;
  const work = new Coalesced(async () => {
    if (++runs === 1) throw new Error("no");
    return runs;
  });
  await expect(work.ask(1)).rejects.toThrow("no");
  expect(await work.ask(2)).toBe(2);
});
