import { describe, expect, it } from "vitest";
import { localTime, logFormatter } from "../../../src/views/logs.ts";
import { prettyLine } from "../../../src/views/pretty.ts";
import { painter } from "../../../src/views/screen.ts";
import { expectHarmless, HOSTILE, OWN_COLOURS } from "../../rig/hostile.ts";

const plain = painter({ colour: false });
const AT = new Date(2026, 0, 31, 12, 30, 5, 7).getTime();
const pretty = (record: object) => prettyLine(JSON.stringify(record), plain);

describe("times of lines", () => {
  it("are what ISO 8601 reads back, with the offset of the zone", () => {
    expect(localTime(AT)).toMatch(/^2026-01-31T12:30:05\.007[+-]\d\d:\d\d$/);
    expect(Date.parse(localTime(AT))).toBe(AT);
  });

  it("come first, but for the names of several servers", () => {
    const screen = { colour: false, keep: "text" } as const;
    const line = { name: "web", stream: "stdout", line: "said", ts_unix_ms: AT } as const;
    const wish = { timestamps: true };
    expect(logFormatter(["web"], screen, wish)(line)).toBe(`${localTime(AT)} [out] said`);
    expect(logFormatter(["web", "db"], screen, wish)(line)).toBe(`web | ${localTime(AT)} said`);
    expect(logFormatter(["web"], screen)(line)).toBe("[out] said");
  });
});

describe("lines of JSON", () => {
  const time = "12:30:05.007";
  it.each<[string, object, string]>([
    [
      "pino",
      { level: 50, time: AT, pid: 1, hostname: "h", msg: "no luck", port: 80 },
      `${time} ERROR no luck port=80`,
    ],
    [
      "bunyan",
      { v: 0, name: "web", level: 30, time: new Date(AT).toISOString(), hostname: "h", pid: 1, msg: "up" },
      `${time} INFO  up name=web`,
    ],
    [
      "zap",
      { level: "warn", ts: AT / 1000, caller: "a/b.go:12", msg: "slow", took: 1.5 },
      `${time} WARN  slow caller=a/b.go:12 took=1.5`,
    ],
    [
      "slog",
      {
        time: new Date(AT).toISOString(),
        level: "INFO",
        msg: "hello there",
        user: { id: 7 },
        note: "two words",
      },
      `${time} INFO  hello there user={"id":7} note="two words"`,
    ],
    ["structlog", { event: "started", level: "debug", timestamp: "early" }, "early DEBUG started"],
  ])("of %s", (_, record, expected) => {
    expect(pretty(record)).toBe(expected);
  });

  it("have the stack of an error below them, not all of a long one", () => {
    const stack = ["Error: no luck", ...Array.from({ length: 50 }, (_, i) => `    at f${i} (a.js:${i})`)];
    const record = {
      level: 50,
      msg: "failed",
      err: { type: "Error", message: "no luck", stack: stack.join("\n"), code: 3 },
    };
    const lines = pretty(record)?.split("\n") ?? [];
    expect(lines.slice(0, 2)).toEqual([
      'ERROR failed err="Error: no luck" err.*={"code":3}',
      "        at f0 (a.js:0)",
    ]);
    expect(lines.at(-1)).toBe("        … 20 more");
    const format = logFormatter(
      ["web"],
      { colour: false, keep: "text" },
      { pretty: (line) => prettyLine(line, plain) },
    );
    expect(format({ name: "web", stream: "stderr", line: JSON.stringify(record) })).toMatch(
      /^\[err\] ERROR failed.*\n\[err\] {9}at f0/,
    );
  });

  it.each([
    "",
    "plain",
    "{",
    "[1]",
    "{}",
    '{"jsonrpc":"2.0","id":1}',
    '"text"',
    "{]}",
    '{"msg":"a"} and more',
  ])("%j is none, and stays as it is", (line) => {
    expect(prettyLine(line, plain)).toBeUndefined();
  });

  it("are bounded, however deep and wide", () => {
    const deep = `{"msg":"deep","a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
    expect(prettyLine(deep, plain)?.length ?? 0).toBeLessThan(1100);
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]));
    expect(pretty({ msg: "wide", ...wide })).toMatch(/ k49=49 … 4950 more$/);
    expect(pretty({ msg: "big", a: "x y".repeat(20_000) })?.length).toBeLessThan(1100);
  });

  it("do nothing to a terminal, whatever is in them", () => {
    const record = {
      level: HOSTILE,
      time: HOSTILE,
      msg: HOSTILE,
      [HOSTILE]: HOSTILE,
      a: { b: HOSTILE },
      stack: `${HOSTILE}\n${HOSTILE}`,
    };
    const text = prettyLine(JSON.stringify(record), painter({ colour: true })) ?? "";
    expect(text).toContain("\\u{");
    expectHarmless(text, { colours: OWN_COLOURS });
  });
});
