import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LogSnapshot } from "../../../src/agent/logs/log-reader.ts";
import {
  decodeRecord,
  LONGEST_LINE,
  type LogLine,
  type LogStream,
} from "../../../src/agent/logs/log-record.ts";
import { framesOf, PLACE } from "../../../src/agent/logs/log-stream.ts";
import { LogWriter } from "../../../src/agent/logs/log-writer.ts";
import { encodeFrame } from "../../../src/rpc/framing.ts";
import { ANY_CHARACTER } from "../../rig/any-character.ts";

const NOW = Date.UTC(2026, 10, 20, 10);
const LIMITS = { maxSize: 10 << 20, keep: 3 };

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "logs-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

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

describe("a log that cannot be written", () => {
  const LATER = NOW + 60_000;
  /** A folder in the place of the file: nobody, not even root, can write to it. */
  const obstruct = () => {
    fs.rmSync(join(dir, "current.log"), { force: true });
    fs.mkdirSync(join(dir, "current.log"));
  };

  test("counts the lines that are lost, hands them on, and tells of them in their place", () => {
    const said: string[] = [];
    const log = new LogWriter(dir, LIMITS, { report: (message) => said.push(message) });
    const heard: string[] = [];
    log.onLine((line) => heard.push(show(line)));
    log.write("out", Buffer.from("one\n"), NOW);
    obstruct();
    log.write("out", Buffer.from("two\nthree\n"), LATER);
    log.write("err", Buffer.from("four\n"), LATER + 1);
    expect(log.faults).toEqual([expect.stringMatching(/^its log cannot be written: .*EISDIR/)]);
    // The first of them was in the file that was removed before anybody had looked.
    fs.rmdirSync(join(dir, "current.log"));
    log.write("out", Buffer.from("five\n"), LATER + 2);
    expect(log.faults).toEqual([]);
    expect(log.lostText).toMatch(/^4 lines of its output could not be written to its log: .*EISDIR/);
    expect(heard).toEqual(["out one", "out two", "out three", "err four", "out five"]);
    expect(lines()).toEqual(["out five"]);
    const snapshot = new LogSnapshot(dir);
    expect(snapshot.lastLines({ tail: 10 })).toMatchObject([{ missed: 4 }]);
    snapshot.close();
    // Once when it begins, once when it is over.
    expect(said.filter((message) => message.startsWith("its log cannot be written"))).toHaveLength(1);
    expect(said.at(-1)).toBe("its log is written again; 4 lines are lost");
    log.close();
  });

  test("leaves no part of a record before the next one", () => {
    const log = new LogWriter(dir, LIMITS);
    log.write("out", Buffer.from("one\n"), NOW);
    // What a full disk leaves where a record was cut off, and cannot be cut back.
    fs.appendFileSync(log.currentPath, "2026-11-20T10:00:00.000Z [ou");
    log.close();
    log.write("out", Buffer.from("two\n"), NOW);
    expect(lines()).toEqual(["out one", "out two"]);
    log.close();
  });

  test("is no trap for who writes it: a fifo in its place", () => {
    execFileSync("mkfifo", [join(dir, "current.log")]);
    const log = new LogWriter(dir, LIMITS);
    log.write("out", Buffer.from("one\n"), NOW);
    expect(log.faults).toEqual([
      `its log cannot be written: ${log.currentPath} is no plain file; move it away`,
    ]);
    log.close();
  });

  const INSTEAD: Record<string, (path: string) => void> = {
    "a fifo": (path) => void execFileSync("mkfifo", [path]),
    "a folder": (path) => fs.mkdirSync(path),
    "a link to itself": (path) => fs.symlinkSync(path, path),
    "a link into nothing": (path) => fs.symlinkSync("/nowhere/at/all", path),
    "a file": (path) => fs.writeFileSync(path, ""),
  };
  for (const [what, make] of Object.entries(INSTEAD)) {
    for (const place of ["file", "folder"]) {
      if (what === `a ${place}`) continue;
      test(`names what is in the way, and goes on once it is gone: ${what} in the place of its ${place}`, () => {
        const folder = join(dir, "log");
        if (place === "file") fs.mkdirSync(folder);
        const path = place === "file" ? join(folder, "current.log") : folder;
        make(path);
        // Who only reads is not kept waiting, and finds nothing.
        new LogSnapshot(folder).close();
        const log = new LogWriter(folder, LIMITS);
        log.write("out", Buffer.from("one\n"), NOW);
        expect(log.faults).toEqual([
          expect.stringMatching(/^its log cannot be written: .*; (move|remove) it/),
        ]);
        expect(log.faults[0]).toContain(`${path} is `);
        fs.rmSync(path, { recursive: true });
        log.write("out", Buffer.from("two\n"), LATER);
        expect(log.faults).toEqual([]);
        expect(fs.readFileSync(join(folder, "current.log"), "utf8")).toContain("[out] two");
        log.close();
      });
    }
  }
});

describe("a log that somebody removes under its writer", () => {
  const LATER = NOW + 60_000;
  const ways: Record<string, () => void> = {
    "the folder is deleted": () => fs.rmSync(dir, { recursive: true }),
    "the file is deleted": () => fs.rmSync(join(dir, "current.log")),
    "the file is moved away": () => fs.renameSync(join(dir, "current.log"), join(dir, "mine.txt")),
    "another file is put in its place": () => {
      fs.writeFileSync(join(dir, "other"), "2026-11-20T09:00:00.000Z [out] older\n");
      fs.renameSync(join(dir, "other"), join(dir, "current.log"));
    },
    "the folder is replaced": () => {
      fs.rmSync(dir, { recursive: true });
      fs.mkdirSync(dir);
    },
  };
  test.for(Object.entries(ways))("is made again, and that is said: %s", ([, remove]) => {
    const said: string[] = [];
    const log = new LogWriter(dir, LIMITS, { report: (message) => said.push(message) });
    log.write("out", Buffer.from("before\n"), NOW);
    log.write("out", Buffer.from("seen\n"), LATER);
    remove();
    // Before anybody has looked again, and after.
    log.write("out", Buffer.from("meanwhile\n"), LATER + 1);
    log.write("out", Buffer.from("after\n"), LATER + 1000);
    log.write("out", Buffer.from("later\n"), LATER + 1001);
    const left = lines().filter((line) => line !== "out older");
    expect(left.slice(-3)).toEqual(["out meanwhile", "out after", "out later"]);
    expect(said).toEqual(["its log was removed or replaced by somebody else: creating it again"]);
    expect(log.lostText).toBeUndefined();
    log.close();
  });

  test("is told of when it cannot be made again", () => {
    const log = new LogWriter(dir, LIMITS);
    log.write("out", Buffer.from("before\n"), NOW);
    fs.rmSync(dir, { recursive: true });
    fs.writeFileSync(dir, "a file where the folder was");
    log.write("out", Buffer.from("lost\n"), LATER);
    expect(log.faults).toEqual([expect.stringMatching(/^its log cannot be written: /)]);
    expect(log.lostText).toMatch(/^2 lines of its output could not be written to its log: /);
    fs.rmSync(dir);
    log.write("out", Buffer.from("again\n"), LATER + 1);
    expect(lines()).toEqual(["out again"]);
    log.close();
  });
});

describe("a log that cannot be rotated", () => {
  test("is written on, says so once, and is rotated as soon as that goes", () => {
    const said: string[] = [];
    const limits = { maxSize: 200, keep: 2 };
    const log = new LogWriter(dir, limits, { report: (message) => said.push(message) });
    fs.mkdirSync(join(dir, "1.log/full"), { recursive: true });
    fs.mkdirSync(join(dir, "2.log/full"), { recursive: true });
    for (let i = 0; i < 20; i++) log.write("out", Buffer.from(`line ${i}\n`), NOW + i * 1000);
    expect(log.faults).toEqual([expect.stringMatching(/^its log cannot be rotated: /)]);
    expect(fs.readFileSync(log.currentPath, "utf8").trimEnd().split("\n")).toHaveLength(20);
    expect(said).toHaveLength(1);
    for (const name of ["1.log", "2.log"]) fs.rmSync(join(dir, name), { recursive: true });
    log.write("out", Buffer.from("last\n"), NOW + 30_000);
    expect(log.faults).toEqual([]);
    expect(said.at(-1)).toBe("its log is rotated again");
    expect(fs.readFileSync(join(dir, "1.log"), "utf8")).toContain("last");
    log.close();
  });
});

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
    fc.string({ unit: ANY_CHARACTER }),
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
