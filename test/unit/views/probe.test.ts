import { expect, test } from "vitest";
import { probeView } from "../../../src/views/probe.ts";
import { NOW } from "../reconciler/fixtures.ts";

const plain = { colour: false, now: NOW };
const about = { name: "web", which: "readiness", type: "mcp" } as const;
const listener = { step: "listener", ok: true, detail: "pid 812 listens on 127.0.0.1:8421", ms: 1 };

test("a server that is ready", () => {
  const evidence = "legacy 2025-11-25, everything 2.0.0, 13 tools";
  const steps = [listener, { step: "tools/list", ok: true, detail: "13 tools", ms: 1200 }];
  expect(probeView({ ...about, ok: true, evidence, steps }, plain)).toMatchInlineSnapshot(`
    "web (readiness, mcp)
      ok  listener    pid 812 listens on 127.0.0.1:8421 (1ms)
      ok  tools/list  13 tools (1s200ms)
    web is ready: legacy 2025-11-25, everything 2.0.0, 13 tools
    "
  `);
});

test("one that is not, with words that a terminal must not take for its own", () => {
  const detail = "error -32603: connection\n\x1b[2Jclosed";
  const steps = [listener, { step: "tools/list", ok: false, detail, ms: 3 }];
  const report = { ...about, ok: false, evidence: detail, steps };
  expect(probeView(report, { ...plain, width: 60 })).toMatchInlineSnapshot(`
    "web (readiness, mcp)
      ok  listener    pid 812 listens on 127.0.0.1:84… (1ms)
      no  tools/list  error -32603: connection\\n\\u{1b… (3ms)
    web is not ready: error -32603: connection\\n\\u{1b}[2Jclosed
    "
  `);
});
