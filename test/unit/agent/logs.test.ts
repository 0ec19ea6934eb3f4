import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LogSnapshot } from "../../../src/agent/log-reader.ts";
import { decodeRecord, LONGEST_LINE, type LogLine, type LogStream } from "../../../src/agent/log-record.ts";
import { framesOf, PLACE } from "../../../src/agent/log-stream.ts";
import { LogWriter } from "../../../src/agent/log-writer.ts";
import { encodeFrame } from "../../../src/rpc/framing.ts";

const NOW = Date.UTC(2026, 10, 20, 10);
const LIMITS = { maxSize: 10 << 20, keep: 3 };

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "logs-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

function lines(
  tail = 1_000_000,
  more: { stream?: LogStream; since?: number; unfinished?: boolean } = {},
): string[] {
  const snapshot = new LogSnapshot(dir);
  try {
    return snapshot.lastLines({ tail, ...more }).map(show);
  } finally {
    snapshot.close();
  }
}

const show = ({ stream, bytes }: LogLine) => `${stream} ${bytes.toString()}`;

describe("a log file", () => {
  test("has a time and a stream on every line", () => {
    const log = new LogWriter(dir, LIMITS);
    log.write("out", Buffer.from("one\ntwo\n"), NOW);
    log.write("err", Buffer.from("oops\n"), NOW + 1);
    expect(fs.readFileSync(log.currentPath, "utf8")).toBe(
      "2026-11-20T10:00:00.000Z [out] one\n2026-11-20T10:00:00.000Z [out] two\n2026-11-20T10:00:00.001Z [err] oops\n",
    );
    log.close();
  });

  test("joins a line that came in pieces, between pieces of the other stream", () => {
    const log = new LogWriter(dir, LIMITS);
    log.write("out", Buffer.from("be"), NOW);
    log.write("err", Buffer.from("wa"), NOW);
    log.write("out", Buffer.from("gin\nnext"), NOW);
    log.write("err", Buffer.from("rn\n"), NOW);
    log.endLines(NOW);
    expect(lines()).toEqual(["out begin", "err warn", "out next"]);
    log.close();
  });

  test("shows a line that is not over to whoever asks for it", () => {
    const log = new LogWriter(dir, LIMITS);
    log.write("out", Buffer.from("one\nPass"), NOW);
    log.write("err", Buffer.from("oops\n"), NOW);
    log.write("out", Buffer.from("word: "), NOW);
    expect(lines()).toEqual(["out one", "err oops"]);
    expect(lines(10, { unfinished: true })).toEqual(["out one", "err oops", "out Password: "]);
    expect(lines(1, { unfinished: true })).toEqual(["out Password: "]);
    expect(lines(10, { unfinished: true, stream: "err" })).toEqual(["err oops"]);
    log.endLines(NOW);
    expect(lines(10, { unfinished: true })).toEqual(["out one", "err oops", "out Password: "]);
    log.close();
  });

  test("goes on in the middle of a line after its writer died", () => {
    const first = new LogWriter(dir, LIMITS);
    first.write("out", Buffer.from("half a "), NOW);
    const second = new LogWriter(dir, LIMITS);
    const heard: string[] = [];
    second.open();
    second.onLine((line) => heard.push(show(line)));
    second.write("out", Buffer.from("line\n"), NOW);
    expect(lines()).toEqual(["out half a line"]);
    expect(heard).toEqual(["out half a line"]);
    first.close();
    second.close();
  });

  test("is mended when a power cut took the end of a record", () => {
    fs.writeFileSync(join(dir, "current.log"), "2026-11-20T10:00:00.000Z [out] whole\n2026-11-20T10:0");
    const log = new LogWriter(dir, LIMITS);
    log.write("out", Buffer.from("after\n"), NOW);
    expect(lines()).toEqual(["out whole", "out after"]);
    log.close();
  });

  test("keeps bytes that are no text", () => {
    const log = new LogWriter(dir, LIMITS);
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0d, 0x0a]);
    log.write("out", bytes, NOW);
    const [line = ""] = fs.readFileSync(log.currentPath, "latin1").split("\n");
    expect(decodeRecord(Buffer.from(line, "latin1"))?.bytes).toEqual(bytes.subarray(0, 5));
    log.close();
  });

  test("delivers a very long line in marked pieces, with bounded memory", () => {
    const log = new LogWriter(dir, LIMITS);
    const heard: LogLine[] = [];
    log.onLine((line) => heard.push({ ...line, bytes: Buffer.from(line.bytes) }));
    for (let i = 0; i < 40; i++) log.write("out", Buffer.alloc(5000, "x"), NOW);
    log.write("out", Buffer.from("\n"), NOW);
    expect(heard.map(({ split, bytes }) => [split, bytes.length])).toEqual([
      [true, LONGEST_LINE],
      [true, LONGEST_LINE],
      [true, LONGEST_LINE],
      [false, 200_000 - 3 * LONGEST_LINE],
    ]);
    log.close();
  });

  test("tells nobody of a line who took that back at the line before", () => {
    const log = new LogWriter(dir, LIMITS);
    const heard: string[] = [];
    const stop = log.onLine((line) => {
      heard.push(show(line));
      stop();
    });
    log.write("out", Buffer.from("one\ntwo\n"), NOW);
    expect(heard).toEqual(["out one"]);
    log.close();
  });

  test("is rotated, and no more files are kept than were asked for", () => {
    const log = new LogWriter(dir, { maxSize: 1000, keep: 2 });
    for (let i = 0; i < 200; i++) log.write("out", Buffer.from(`line ${i}\n`), NOW);
    expect(fs.readdirSync(dir).sort()).toEqual(["1.log", "2.log", "current.log"]);
    const kept = lines();
    expect(kept.at(-1)).toBe("out line 199");
    const first = Number(kept[0]?.split(" ").at(-1));
    expect(kept).toEqual(Array.from({ length: 200 - first }, (_, i) => `out line ${first + i}`));
    log.close();
  });
});

describe("the last lines", () => {
  test("are counted over both streams, or one", () => {
    const log = new LogWriter(dir, LIMITS);
    for (let i = 0; i < 10; i++) log.write(i % 2 ? "err" : "out", Buffer.from(`${i}\n`), NOW + i);
    expect(lines(3)).toEqual(["err 7", "out 8", "err 9"]);
    expect(lines(2, { stream: "out" })).toEqual(["out 6", "out 8"]);
    expect(lines(100, { since: NOW + 8 })).toEqual(["out 8", "err 9"]);
    expect(lines(0)).toEqual([]);
    log.close();
  });

  test("begin at their beginning, also when that is far back", () => {
    const log = new LogWriter(dir, LIMITS);
    log.write("err", Buffer.from("long "), NOW);
    for (let i = 0; i < 5; i++) log.write("out", Buffer.from(`${i}\n`), NOW);
    log.write("err", Buffer.from("story\n"), NOW);
    expect(lines(1)).toEqual(["err long story"]);
    log.close();
  });

  test("property: are the last of all lines, however the output was cut", () => {
    const chunk = fc.tuple(fc.constantFrom<LogStream>("out", "err"), fc.stringMatching(/^[ab\n]{1,12}$/));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 60 }), fc.nat(20), (chunks, tail) => {
        fs.rmSync(dir, { recursive: true });
        const log = new LogWriter(dir, { maxSize: 700, keep: 1000 });
        const heard: string[] = [];
        log.onLine((line) => heard.push(show(line)));
        for (const [stream, text] of chunks) log.write(stream, Buffer.from(text), NOW);
        log.endLines(NOW);
        log.close();
        fs.mkdirSync(dir, { recursive: true });
        expect(lines()).toEqual(heard);
        expect(lines(tail)).toEqual(tail === 0 ? [] : heard.slice(-tail));
      }),
      { numRuns: 300 },
    );
  });
});

test("property: the frames of many lines are those that each line would have had", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string(),
    fc.constantFrom("", "a\\nb", "\u001b[31m", "\ud83d"),
  );
  const raw = fc
    .uint8Array({ maxLength: 30 })
    .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)));
  const bytes = fc.oneof(
    line.map((text) => Buffer.from(text.replaceAll("\n", ""))),
    raw,
  );
  const frame = (text: string) => encodeFrame({ name: "a$&b", line: text, at: 1 });
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1, maxLength: 12 }), (all) => {
      const block = Buffer.concat(all.flatMap((each) => [each, Buffer.from("\n")]));
      expect(framesOf(frame(PLACE), block)).toBe(all.map((each) => frame(each.toString())).join(""));
    }),
    { numRuns: 2000 },
  );
});
