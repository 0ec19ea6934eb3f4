import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LogSnapshot } from "../../../src/agent/logs/log-reader.ts";
import { lastMatching, type Search } from "../../../src/agent/logs/log-search.ts";
import { LogWriter } from "../../../src/agent/logs/log-writer.ts";
import { ShownLines } from "../../../src/agent/logs/shown-lines.ts";
import { understood } from "../../../src/model/expression.ts";
import { Redactor } from "../../../src/model/redact.ts";

const NOW = Date.UTC(2026, 10, 20, 10);

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "log-search-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

async function found(search: Partial<Search> & Pick<Search, "matches">): Promise<string[]> {
  const snapshot = new LogSnapshot(dir);
  const shown = () => new ShownLines(undefined);
  const whole = { tail: 1_000_000, isOver: () => false, newest: shown(), shown, ...search };
  const lines = await lastMatching(snapshot, whole);
  snapshot.close();
  return lines.map(({ stream, text }) => `${stream} ${text}`);
}

it("finds what a plain search of all lines finds, whatever is written and rotated when", async () => {
  const stream = fc.constantFrom("out" as const, "err" as const);
  const text = fc.stringMatching(/^[ab]{0,6}\n?[ab]{0,3}\n?$/);
  await fc.assert(
    fc.asyncProperty(
      stream,
      fc.array(text, { maxLength: 30 }),
      fc.integer({ min: 0, max: 6 }),
      fc.boolean(),
      async (stream, texts, tail, unfinished) => {
        fs.rmSync(dir, { recursive: true, force: true });
        const log = new LogWriter(dir, { maxSize: 200, keep: 100 });
        texts.forEach((text, i) => {
          log.write(stream, Buffer.from(text), NOW + i);
        });
        log.close();
        const snapshot = new LogSnapshot(dir);
        const all = snapshot.lastLines({ tail: 1_000_000, unfinished });
        snapshot.close();
        const matches = (text: string) => /ab/.test(text);
        const plain = all.filter(({ bytes }) => matches(bytes.toString()));
        const expected = plain.map(({ stream, bytes }) => `${stream} ${bytes}`);
        expect(await found({ matches, tail, unfinished })).toEqual(
          expected.slice(Math.max(0, expected.length - tail)),
        );
      },
    ),
    { numRuns: 25 },
  );
});

it("takes only lines of a time and a stream", async () => {
  const log = new LogWriter(dir, { maxSize: 120, keep: 9 });
  for (let i = 0; i < 20; i++) log.write(i % 2 === 0 ? "out" : "err", Buffer.from(`line ${i}\n`), NOW + i);
  log.close();
  const matches = () => true;
  expect(await found({ matches, since: NOW + 5, until: NOW + 9, stream: "err" })).toEqual([
    "err line 5",
    "err line 7",
    "err line 9",
  ]);
});

it("ends a pattern from hell after each line was matched once, and lets others work meanwhile", async () => {
  const log = new LogWriter(dir, { maxSize: 10 << 20, keep: 3 });
  const lines = 40;
  for (let i = 0; i < lines; i++) log.write("out", Buffer.from(`${"a".repeat(8000)}b\n`), NOW + i);
  log.close();
  const pattern = await understood("^(a+)+$");
  if (!pattern.ok) throw new Error(pattern.fault);
  let [matched, turns, isOver] = [0, 0, false];
  const others = (async () => {
    for (; !isOver; turns++) await nextTurn();
  })();
  const matches = (text: string) => {
    matched++;
    return pattern.expression.test(text);
  };
  expect(await found({ matches })).toEqual([]);
  isOver = true;
  await others;
  expect(matched).toBe(lines);
  // 16 KiB a turn are two such lines.
  expect(turns).toBeGreaterThanOrEqual(lines / 3);
});

it("stops soon after nobody waits for it any more", async () => {
  const log = new LogWriter(dir, { maxSize: 10 << 20, keep: 3 });
  for (let i = 0; i < 200; i++) log.write("out", Buffer.from(`${"x".repeat(4000)}\n`), NOW + i);
  log.close();
  let matched = 0;
  const matches = () => ++matched > 0;
  expect(await found({ matches, isOver: () => matched > 0 })).toEqual([]);
  expect(matched).toBeLessThan(10);
});

it("matches what is shown, not the secret in its place", async () => {
  const log = new LogWriter(dir, { maxSize: 10 << 20, keep: 3 });
  log.write("out", Buffer.from("token is s3cr3t-value\nplain\n"), NOW);
  log.close();
  const secret = { secret: { env: "TOKEN" }, hmac: "" };
  const redactor = new Redactor({ TOKEN: "s3cr3t-value" }, { TOKEN: secret });
  const shown = () => new ShownLines(redactor);
  const search = (word: string) => found({ matches: (text) => text.includes(word), newest: shown(), shown });
  expect(await search("s3cr3t")).toEqual([]);
  expect(await search("token")).toEqual(["out token is (secret TOKEN)"]);
});
