import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { firstMatch, LineSearch } from "../../../src/agent/logs/line-search.ts";

/** Counts what is matched in each turn of the event loop. */
function counted(pattern: RegExp) {
  const turns: number[] = [0];
  const expression = {
    test: (line: string) => {
      turns[turns.length - 1] = (turns.at(-1) ?? 0) + line.length;
      return pattern.test(line);
    },
  };
  const ticks = async (isOver: () => boolean) => {
    while (!isOver() && turns.length < 10_000) {
      await nextTurn();
      turns.push(0);
    }
  };
  return { turns, expression, ticks };
}

/** The longest line and a turn's worth. */
const MOST = 16 * 1024 + 8192;

test("a flood of lines is matched in small parts, and the event loop goes round between them", async () => {
  const { turns, expression, ticks } = counted(/ready/);
  const found: string[] = [];
  const search = new LineSearch(
    expression,
    () => [],
    (line) => found.push(line),
  );
  for (let i = 0; i < 100; i++) search.take("x".repeat(64 * 1024));
  search.take("now ready");
  search.take("ready again");
  await ticks(() => found.length > 0);
  expect(found).toEqual(["now ready"]);
  expect(Math.max(...turns)).toBeLessThanOrEqual(MOST);
  expect(turns.filter((size) => size > 0).length).toBeGreaterThan(40);
});

test("what is too much to keep is read again from the log, the newest of it", async () => {
  const { expression, ticks } = counted(/ready/);
  const log: string[] = [];
  const asked: number[] = [];
  const found: string[] = [];
  const last = (count: number) => {
    asked.push(count);
    return log.slice(-count);
  };
  const search = new LineSearch(expression, last, (line) => found.push(line));
  for (let i = 0; i < 500; i++) {
    log.push("y".repeat(8000));
    search.take(log.at(-1) as string);
  }
  log.push("ready");
  search.take("ready");
  await ticks(() => found.length > 0);
  expect(found).toEqual(["ready"]);
  expect(asked.length).toBeGreaterThan(0);
});

test("nothing is found any more once it is over", async () => {
  const { expression, ticks } = counted(/ready/);
  const found: string[] = [];
  const search = new LineSearch(
    expression,
    () => [],
    (line) => found.push(line),
  );
  search.take("ready");
  search.end();
  let turns = 0;
  await ticks(() => ++turns > 3);
  expect(found).toEqual([]);
});

test("a person's look at many lines leaves turns to others", async () => {
  const { turns, expression, ticks } = counted(/ready/);
  const lines = [...Array.from({ length: 200 }, () => "x".repeat(8000)), "ready"];
  let found: string | undefined;
  void firstMatch(expression, lines).then((line) => {
    found = line;
  });
  await ticks(() => found !== undefined);
  expect(found).toBe("ready");
  // The first turn is that of whoever asks.
  expect(Math.max(...turns.slice(1))).toBeLessThanOrEqual(MOST);
});
