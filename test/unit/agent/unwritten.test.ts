import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Unwritten } from "../../../src/agent/records/unwritten.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what is owed is tried until it is written, and costs one attempt a look while nothing goes", async () => {
  const unwritten = new Unwritten();
  let isFull = true;
  const tried: number[] = [];
  const written: number[] = [];
  for (let i = 0; i < 100; i++)
    unwritten.owe({}, () => {
      tried.push(i);
      if (!isFull) written.push(i);
      return !isFull;
    });
  await vi.advanceTimersByTimeAsync(5000);
  expect(tried.length).toBeGreaterThan(1);
  expect(tried.length).toBeLessThanOrEqual(11);
  // Each in its turn: the folder of one may be the only one that cannot be written to.
  expect(new Set(tried).size).toBe(tried.length);
  isFull = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(written.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(vi.getTimerCount()).toBe(0);
});

test("what need not be written any more is not tried, and what comes up again meanwhile is", async () => {
  const unwritten = new Unwritten();
  const [gone, again] = [{}, {}];
  const tried: string[] = [];
  unwritten.owe(gone, () => tried.push("gone") > 0);
  unwritten.owe(again, () => {
    if (tried.push("again") === 1) unwritten.owe(again, () => tried.push("once more") > 0);
    return true;
  });
  unwritten.paid(gone);
  await vi.advanceTimersByTimeAsync(2000);
  expect(tried).toEqual(["again", "once more"]);
});
