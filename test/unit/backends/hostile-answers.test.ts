import { describe, expect, it } from "vitest";
import { asking, words } from "../../../src/backends/ask.ts";
import { pidIn, stateIn } from "../../../src/backends/launchctl.ts";
import { liveOf } from "../../../src/backends/units/launchd/manager.ts";
import { entriesIn, lineOf } from "../../../src/backends/units/systemd/journal.ts";
import { eventually } from "../../rig/eventually.ts";
import { processes } from "../../rig/processes.ts";
import { serverSpec } from "../../rig/spec.ts";

const unit = {
  spec: serverSpec("web", "/bin/sh", []),
  file: "/f",
  enabled: true,
  isEdited: false,
  isTouched: false,
};

/** What launchd tells of a job, with the arguments one a line, as they are. */
const printed = (args: readonly string[], rest: readonly string[]) =>
  [
    "gui/501/xy.p.web = {",
    "\tactive count = 1",
    "\tstate = not running",
    "",
    "\tprogram = /bin/sh",
    "\targuments = {",
    ...args.map((arg) => `\t\t${arg}`),
    "\t}",
    ...rest.map((line) => `\t${line}`),
    "}",
    "",
  ].join("\n");

describe("what launchd tells of a job", () => {
  const FORGED = ["pid = 77", "state = running", "runs = 9", "last exit code = 4", "spawn failed"];

  it("is not believed where an argument says it", () => {
    const text = printed(FORGED, ["runs = 2", "last exit code = 0"]);
    expect(pidIn(text)).toBeUndefined();
    expect(stateIn(text)).toBe("not running");
    expect(liveOf(unit, text, new Set())).toMatchObject({
      restartCount: 1,
      lastExit: { exit: { kind: "code", code: 0 } },
    });
  });

  it("is believed over an argument of several lines that looks the same", () => {
    const text = printed(
      [`a\n\t}\n\t${FORGED.join("\n\t")}`],
      ["runs = 2", "pid = 4711", "last exit code = 0"],
    );
    expect(pidIn(text)).toBe(4711);
    expect(stateIn(text)).toBe("not running");
    expect(liveOf(unit, text, new Set()).lastExit?.exit).toEqual({ kind: "code", code: 0 });
  });

  it.each(["0", "1", "-5", "1.5", "12345678901", "9".repeat(1 << 20), "4\0", "0x10", "many"])(
    "is no pid, count or code when it cannot be one",
    (value) => {
      expect(pidIn(printed([], [`pid = ${value}`]))).toBeUndefined();
      const lines = [`runs = ${value}`, `last terminating signal = Odd: ${value}`];
      const { restartCount, lastExit } = liveOf(unit, printed([], lines), new Set());
      expect(restartCount).toBe(0);
      expect(JSON.stringify(lastExit ?? "").length).toBeLessThan(200);
    },
  );

  it("has the code of an exit with what it means, and a signal with its number", () => {
    const exitOf = (line: string) => liveOf(unit, printed([], [line]), new Set()).lastExit?.exit;
    expect(exitOf("last exit code = 78: EX_CONFIG")).toEqual({ kind: "code", code: 78 });
    expect(exitOf("last exit code = (never exited)")).toBeUndefined();
    expect(exitOf("last terminating signal = Killed: 9")).toEqual({ kind: "signal", signal: "SIGKILL" });
  });
});

describe("a program that is asked", () => {
  it("and says without end is ended, with what it has started, and its answer is none", async () => {
    const mark = `without-end-${process.pid}`;
    const answer = await asking()("sh", ["-c", `yes ${mark} & yes ${mark}; wait`], 60_000);
    expect(answer.code).toBe(125);
    expect(answer.stdout.length).toBeLessThan(9 << 20);
    expect(words(answer)).toBe("its answer is too long");
    await eventually(() =>
      expect(
        processes().filter(({ command }) => command.startsWith("yes ") && command.includes(mark)),
      ).toEqual([]),
    );
  });

  it("and leaves somebody behind who holds its output is not waited for without a bound", async () => {
    const sleep = `sleep 599.${process.pid}`;
    const answer = await asking()("sh", ["-c", `${sleep} & echo said`], 300);
    expect(answer.stdout).toBe("said\n");
    await eventually(() => expect(processes().filter(({ command }) => command === sleep)).toEqual([]));
  });
});

describe("an entry of the journal", () => {
  it("is a text, or the bytes of one", () => {
    const time = '"__REALTIME_TIMESTAMP":"1700000000000000"';
    const at = 1_700_000_000_000;
    expect(lineOf(`{"MESSAGE":"a\\u0000b",${time}}`)).toEqual({ stream: "stdout", line: "a\0b", at });
    expect(lineOf(`{"MESSAGE":[97,255,98],${time}}`)).toEqual({ stream: "stdout", line: "a\ufffdb", at });
  });

  it.each([
    "null",
    "[]",
    "7",
    '"a"',
    "{}",
    '{"MESSAGE":null}',
    '{"MESSAGE":{"a":1}}',
    '{"MESSAGE":["one","two"]}',
    '{"MESSAGE":[[97],[98]]}',
    '{"MESSAGE":[97,1e9]}',
    '{"MESSAGE":[97,-1]}',
    '{"MESSAGE":"a"',
    "",
  ])("is none when it is %s", (entry) => expect(lineOf(entry)).toBeUndefined());

  it.each(["null", "7", "[]", '"-1"', '"1e300"', '"soon"', `"${"9".repeat(400)}"`])(
    "has no time when that is %s",
    (time) =>
      expect(lineOf(`{"MESSAGE":"a","__REALTIME_TIMESTAMP":${time}}`)).toEqual({
        stream: "stdout",
        line: "a",
      }),
  );

  it("that does not end takes no memory, and what is around it is read", () => {
    const take = entriesIn(1000);
    const piece = Buffer.alloc(400, "x");
    const read = [
      ...take(Buffer.concat([Buffer.from("first\n"), piece])),
      ...take(piece),
      ...take(piece),
      ...take(piece),
      ...take(Buffer.from("its end\nlast\n")),
    ];
    expect(read).toEqual(["first", "last"]);
    expect(
      take(Buffer.concat([Buffer.from("one\n"), Buffer.alloc(2000, "y"), Buffer.from("\ntwo\n")])),
    ).toEqual(["one", "two"]);
  });
});
