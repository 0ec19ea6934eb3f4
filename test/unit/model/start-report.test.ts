import { describe, expect, test } from "vitest";
import { mcpOf } from "../../../src/model/mcp-fields.ts";
import { patienceFor } from "../../../src/model/patience.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import type { StartProgress } from "../../../src/model/start-progress.ts";
import { type GivenUp, givenUpText, isToTell, runsText, startHelp } from "../../../src/model/start-report.ts";
import { readyOn, readyOnPort } from "../../rig/spec.ts";

const givenUp = (over: Partial<GivenUp> = {}): GivenUp => {
  return { how: "over", waited: 0, patience: patienceFor(undefined, {}, { putsBack: false }), ...over };
};
const told = patienceFor(2000, {}, { putsBack: false });
const putBack = patienceFor(undefined, {}, { putsBack: true });

describe("which setting would help", () => {
  const onPort = { port: 80, readiness: readyOnPort(80) };
  const onLine = { port: null, readiness: readyOn("up") };
  const asMcp = {
    port: 80,
    readiness: { ...readyOnPort(80), type: "mcp" as const, path: "/mcp" } as ServerSpec["readiness"],
  };
  type Case = [what: string, facts: Parameters<typeof startHelp>[0], help: string[]];
  test.each<Case>([
    [
      "a wait that somebody has bounded",
      { spec: onLine, evidence: "no line", givenUp: givenUp({ patience: told }) },
      ["if it needs longer to start, wait longer with `--wait-timeout`"],
    ],
    [
      "a start that missed its bound",
      { spec: onLine, evidence: "no line", givenUp: givenUp() },
      ["if it needs longer to start, set `start-timeout` (5m now)"],
    ],
    [
      "a version that was put back",
      { spec: onLine, evidence: "no line", givenUp: givenUp({ patience: putBack }) },
      ["if it needs longer to start, set `start-timeout`, or wait longer with `--wait-timeout`"],
    ],
    [
      "silence",
      { spec: onLine, evidence: "no line", givenUp: givenUp({ how: "silent" }) },
      ["if it starts without a sign of life, wait longer with `--wait-timeout`"],
    ],
    [
      "a port that nothing listens on",
      { spec: onPort, evidence: "nothing listens on port 80", givenUp: givenUp() },
      [
        "if it needs longer to start, set `start-timeout` (5m now)",
        'if it never listens on a port, set `port "none"`',
      ],
    ],
    [
      "another port than it should listen on",
      { spec: onPort, evidence: "nothing listens on port 80; it listens on 127.0.0.1:8080 instead" },
      ['set `port 8080`, or pass the port on, as in `env { PORT "{port}"; }`'],
    ],
    [
      "an MCP server that does not listen",
      { spec: asMcp, evidence: "nothing listens on port 80" },
      ['if it speaks MCP over stdin and stdout, set `mcp { transport "stdio"; }`'],
    ],
    [
      "an MCP server whose bridge does not listen yet",
      {
        spec: { ...asMcp, mcp: mcpOf({ transport: "stdio", path: "/mcp" }) },
        evidence: "nothing listens on port 80",
      },
      ['if it never listens on a port, set `port "none"`'],
    ],
    [
      "an MCP server that has another path",
      { spec: asMcp, evidence: "initialize at /mcp: 404 Not Found" },
      ['if it has MCP at another path, set that: `mcp path="/"`'],
    ],
    [
      "a check that ran into its timeout",
      {
        spec: onPort,
        evidence: "GET /: gave no answer within 2000 ms",
        givenUp: givenUp({ patience: told }),
      },
      [
        "if a check may take longer, set `readiness.timeout` (2s now)",
        "if it needs longer to start, wait longer with `--wait-timeout`",
      ],
    ],
    ["a program that ends by itself", { spec: onPort, evidence: undefined }, []],
    [
      "a line that says `within 5 s`",
      { spec: onLine, evidence: "within 5 s", givenUp: givenUp({ patience: told }) },
      ["if it needs longer to start, wait longer with `--wait-timeout`"],
    ],
  ])("%s", (_, facts, help) => {
    const { readiness } = facts.spec;
    const spec = { ...facts.spec, readiness: { ...readiness, timeout: 2000 } as typeof readiness };
    expect(startHelp({ ...facts, spec })).toEqual(help);
  });
});

test("a wait that was in vain, in words", () => {
  expect(givenUpText("ready", givenUp())).toBe("not ready within its start-timeout of 5m");
  expect(givenUpText("ready", givenUp({ patience: putBack }))).toBe("not ready after 1m");
  expect(givenUpText("completed", givenUp({ patience: told }))).toBe("not completed after 2s");
  expect(givenUpText("ready", givenUp({ how: "silent", waited: 95_400 }))).toBe(
    "not ready after 1m35s, with no sign of life in the last minute",
  );
});

test("the runs that failed, in words", () => {
  expect(runsText({ restarts: 0 })).toBe("");
  expect(runsText({ restarts: 1 })).toBe("; restarted once");
  expect(runsText({ restarts: 0, last_failure: "exit 3" })).toBe("; its last failed run: exit 3");
  expect(runsText({ restarts: 4, last_failure: "exit 3" })).toBe(
    "; restarted 4 times, its last failed run: exit 3",
  );
});

test("what has changed is told, the rest every 5 s, and nothing of what is over in a moment", () => {
  const at = (waited_ms: number, over: Partial<StartProgress> = {}): StartProgress => {
    return { waited_ms, bound_ms: 300_000, evidence: "nothing listens", restarts: 0, ...over };
  };
  expect(isToTell(undefined, at(1000))).toBe(false);
  expect(isToTell(undefined, at(2000))).toBe(true);
  expect(isToTell(at(2000), at(6000))).toBe(false);
  expect(isToTell(at(2000), at(7000))).toBe(true);
  for (const news of [
    { evidence: "listens" },
    { restarts: 1 },
    { last_failure: "exit 1" },
    { last_line: "a" },
  ])
    expect(isToTell(at(2000), at(3000, news))).toBe(true);
});
