import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../../src/model/units.ts";

describe("durations", () => {
  it.each([
    ["250ms", 250],
    ["2s", 2000],
    ["1.5s", 1500],
    ["0.001s", 1],
    ["1m30s", 90_000],
    ["1m", 60_000],
    ["1m5ms", 60_005],
    ["1d2h3m4s5ms", 93_784_005],
    ["0s", 0],
    ["090s", 90_000],
    ["1 s", 1000],
    ["1min", 60_000],
    ["30 secs", 30_000],
    ["2h 37min", 9_420_000],
    ["1 hour 5 minutes 1.5 seconds", 3_901_500],
    ["2days", 172_800_000],
    ["3 d 4 hrs", 273_600_000],
    ["90 sec 5 msec", 90_005],
    ["1min5milliseconds", 60_005],
  ])("%s is %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    "",
    "5",
    "s",
    "1  s",
    "1s1m",
    "1mins5",
    "5 months",
    "1min2m",
    "1 s ",
    "secs",
    "1sand2ms",
    "1s1s",
    "-1s",
    "1.5m",
    "1.s",
    ".5s",
    "1.0001s",
    "1S",
    "1h ",
    " 1h",
    "1e3s",
    "1m\n",
    "１s",
  ])("%j is none", (text) => expect(parseDuration(text)).toBeUndefined());

  it("are read back as they were", () => {
    fc.assert(fc.property(fc.nat(10 ** 10), (ms) => void expect(parseDuration(formatDuration(ms))).toBe(ms)));
  });
});

describe("sizes", () => {
  it.each([
    ["512B", 512],
    ["64KiB", 65_536],
    ["10MiB", 10_485_760],
    ["1GiB", 2 ** 30],
    ["0B", 0],
  ])("%s is %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(["", "10", "10MB", "10mib", "1.5MiB", "-1B", "1 KiB", "1KiB\n"])("%j is none", (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );

  it("are read back as they were", () => {
    fc.assert(fc.property(fc.nat(2 ** 40), (bytes) => void expect(parseSize(formatSize(bytes))).toBe(bytes)));
  });
});
