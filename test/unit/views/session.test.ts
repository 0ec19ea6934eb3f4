import { expect, test } from "vitest";
import { SESSION_OVER } from "../../../src/model/starter.ts";
import { sessionFormat, sessionSummary } from "../../../src/views/session.ts";

test("lines carry aligned names, also of one server, and states stand among them", () => {
  const format = sessionFormat(["web", "longer"], { colour: false, keep: "text" });
  expect([
    format.line({ name: "web", stream: "stdout", line: "  as it is\t" }),
    format.line({ name: "longer", stream: "stderr", line: "oops" }),
    format.state("web", "restarting", "exit 3; starts again after 1s"),
    format.state("web", "starting", undefined),
    format.state("web", "stopped", SESSION_OVER),
    format.removed("longer"),
  ]).toEqual([
    "web    |   as it is\t",
    "longer | oops",
    "web    | restarting: exit 3; starts again after 1s",
    undefined,
    "web    | stopped",
    "longer | removed",
  ]);
  expect(
    sessionFormat(["web"], { colour: false, keep: "text" }).line({
      name: "web",
      stream: "stdout",
      line: "x",
    }),
  ).toBe("web | x");
});

test("states are dim", () => {
  expect(sessionFormat(["web"], { colour: true, keep: "colours" }).state("web", "running", undefined)).toBe(
    "\u001b[36mweb\u001b[39m | \u001b[2mrunning\u001b[22m",
  );
});

test("the last words name what was stopped, what could not be, and what runs on", () => {
  const none = { stopped: [], failed: [], left: [] };
  expect(sessionSummary(none)).toBe("Nothing was stopped.");
  const failed = [{ name: "c", message: "cannot stop c: it cannot be killed" }];
  expect(sessionSummary({ stopped: ["b", "a"], failed, left: ["d"] })).toBe(
    "Stopped a, b. cannot stop c: it cannot be killed. Left running, because this session did not start them: d.",
  );
});
