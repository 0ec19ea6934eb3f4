import { expect, test } from "vitest";
import { ago, span, uptime } from "../../../src/model/elapsed.ts";
import { serverInput } from "../../../src/model/server.ts";
import { parseDuration, parseSize } from "../../../src/model/units.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { interestingFacts } from "../../../src/views/facts.ts";
import { planDocument } from "../../../src/views/json.ts";
import { logFormatter } from "../../../src/views/logs.ts";
import { commandLine, fieldLabel, fieldValue, secretSource } from "../../../src/views/values.ts";
import { cut, displayWidth, padEnd, padStart, wrap } from "../../../src/views/width.ts";
import { desired, GIVEN, MINUTE, resting, running, secret, spec } from "../reconciler/fixtures.ts";

test("ago and uptime", () => {
  expect([500, 1000, 59_999, MINUTE, 190_000, 3_600_000, 50 * 3_600_000].map(ago)).toEqual([
    "just now",
    "1 second ago",
    "59 seconds ago",
    "1 minute ago",
    "3 minutes ago",
    "1 hour ago",
    "2 days ago",
  ]);
  expect(ago(-5)).toBe("just now");
  expect(span(2000)).toBe("2 seconds");
  expect([0, 5000, 65_000, 120_000, 7_980_000, 86_400_000 * 3 + 60_000].map(uptime)).toEqual([
    "0s",
    "5s",
    "1m 5s",
    "2m",
    "2h 13m",
    "3d",
  ]);
});

test("width counts columns", () => {
  expect(["abc", "日本", "é", "👩‍👩‍👧", "\x1b[31mred\x1b[39m", "❤️"].map(displayWidth)).toEqual([
    3, 4, 1, 2, 3, 2,
  ]);
  expect(padEnd("日", 4)).toBe("日  ");
  expect(padStart("\x1b[1mx\x1b[22m", 3)).toBe("  \x1b[1mx\x1b[22m");
  expect([cut("日本語", 6), cut("日本語", 5), cut("abc", 2), cut("abc", undefined)]).toEqual([
    "日本語",
    "日本…",
    "a…",
    "abc",
  ]);
});

test("values as people write them", () => {
  expect(fieldLabel("restart.maxRetriesPerMinute")).toBe("restart.max-retries-per-minute");
  expect(fieldLabel("env.fooBar")).toBe("env.fooBar");
  expect(fieldValue("umask", 0o27)).toBe("027");
  expect(fieldValue("liveness.startPeriod", 1500)).toBe("1s500ms");
  expect(fieldValue("port", null)).toBe("none");
  expect(fieldValue("restart.successExitCodes", [0, 3])).toBe("0, 3");
  expect(fieldValue("dependsOn", [])).toBe("none");
  expect(fieldValue("env.A", "true")).toBe('"true"');
  expect(fieldValue("env.A", secret("aa"))).toBe("(secret from env GITHUB_TOKEN)");
  expect(secretSource({ file: "/home/me/.token" })).toBe("file /home/me/.token");
  expect(secretSource({ command: "op read x" })).toBe('command "op read x"');
  expect(secretSource({ envFile: "/a/.env", name: "B" })).toBe("B in /a/.env");
  expect(commandLine("node", ["a b", "it's", "--x=1", ""])).toBe(`node 'a b' "it's" --x=1 ''`);
});

test("what counts as a default is what the configuration fills in", () => {
  const { restart, stop, logs, ...filled } = serverInput.parse({ command: "node", port: "none" });
  const ms = (text: string) => parseDuration(text) ?? Number.NaN;
  const server = spec("web", {
    command: filled.command,
    program: filled.command,
    args: filled.args,
    port: null,
    host: filled.host,
    umask: Number.parseInt(filled.umask, 8),
    restart: {
      ...restart,
      backoffInitial: ms(restart.backoffInitial),
      backoffMax: ms(restart.backoffMax),
      resetAfter: ms(restart.resetAfter),
    },
    stop: { ...stop, grace: ms(stop.grace) },
    readiness: { type: "none" },
    liveness: { type: "none" },
    logs: { ...logs, maxSize: parseSize(logs.maxSize) ?? Number.NaN },
    wanted: filled.wanted,
    description: filled.description,
    tags: filled.tags,
  });
  expect(interestingFacts(server, GIVEN).facts).toEqual([{ label: "command", value: "node" }]);
});

test("log lines", () => {
  const line = { name: "web", stream: "stderr", line: "listening" } as const;
  expect(logFormatter(["web"], { colour: false, keep: "text" })(line)).toBe("[err] listening");
  expect(logFormatter(["web"], { colour: false, keep: "text" })({ ...line, stream: "stdout" })).toBe(
    "[out] listening",
  );
  const several = logFormatter(["web", "notes"], { colour: false, keep: "text" });
  expect(several(line)).toBe("web   | listening");
  const coloured = logFormatter(["web", "notes"], { colour: true, keep: "colours" });
  expect(coloured({ ...line, stream: "stdout" })).toBe("\x1b[33mweb  \x1b[39m | listening");
  expect(coloured(line)).toBe("\x1b[33mweb  \x1b[39m \x1b[31m|\x1b[39m listening");
});

test("the plan as a document holds no output of servers and no secret", () => {
  const after = spec("web", { env: { TOKEN: secret("bb") } });
  const failed = resting(spec("web", { env: { TOKEN: secret("aa") } }), {
    state: "failed",
    reason: "exit 7",
    lastLines: ["token is s3cret"],
  });
  const plan = buildPlan(desired(after, spec("same")), [failed, running(spec("same"))]);
  if (!plan.ok) throw new Error("no plan");
  const document = planDocument(plan.value);
  expect(JSON.stringify(document)).not.toContain("s3cret");
  expect(document).toMatchObject({
    version: 1,
    project: "dots",
    summary: { add: [], change: ["web"], remove: [], matching: ["same"] },
    changes: [
      { server: "same", action: "none" },
      {
        server: "web",
        action: "start",
        fields: [{ field: "env.TOKEN", from: secret("aa"), to: secret("bb") }],
        observed: { state: "failed", reason: "exit 7", operator: null },
      },
    ],
  });
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
});

test("a paragraph is broken between words", () => {
  const text = "web is ready: 日本語 and a-word-that-is-longer-than-a-line end";
  expect(wrap(text, 20).split("\n")).toEqual([
    "web is ready: 日本語",
    "and",
    "a-word-that-is-longer-than-a-line",
    "end",
  ]);
  expect(wrap(text, undefined)).toBe(text);
  expect(wrap("", 20)).toBe("");
});
