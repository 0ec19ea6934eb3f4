import { describe, expect, test } from "vitest";
import type { Observed } from "../../../src/model/observed.ts";
import type { Desired, Plan } from "../../../src/model/plan.ts";
import { isEmpty } from "../../../src/model/summary.ts";
import { nothingDesired } from "../../../src/operation/planning.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import type { Selection } from "../../../src/reconciler/select.ts";
import { planDocument } from "../../../src/views/json.ts";
import { planView } from "../../../src/views/plan.ts";
import { desired, NOW, resting, running, spec } from "./fixtures.ts";

const web = spec("web");
const kept = (observed: Observed): Observed => ({ ...observed, kept: true });
const docs = spec("docs", { port: null });

function planOf(declared: Desired, observed: readonly Observed[], selection: Selection = {}): Plan {
  const plan = buildPlan(declared, observed, [], selection);
  if (!plan.ok) throw new Error(plan.problems.map(({ message }) => message).join("\n"));
  return plan.value;
}

describe("a server that a person has added, and no configuration declares", () => {
  const { spec: _, ...unreadable } = running(docs);
  test.each([
    ["running", running(docs)],
    ["stopped", resting(docs)],
    ["held", { ...resting(docs), operator: "stop" as const }],
    ["failed", { ...resting(docs), state: "failed" as const }],
    ["changed by somebody else", { ...running(docs), drift: "its record was edited" }],
    ["not to be read", unreadable],
  ])("is left as it is: %s", (_name, observed) => {
    const plan = planOf(desired(web), [running(web), kept(observed)]);
    expect(isEmpty(plan)).toBe(true);
    expect(plan.changes.map(({ server }) => server)).toEqual(["web"]);
    expect(plan.kept).toEqual([kept(observed)]);
    expect(planDocument(plan).kept).toMatchObject([{ server: "docs", observed: { state: observed.state } }]);
    const text = planView(plan, { colour: false, now: NOW });
    expect(text).toContain(
      `undeclared: docs ${observed.state === "failed" ? "has" : "is"} ${observed.state}, and left as it is; \`xy forget docs\` removes it`,
    );
    expect(text).toContain("1 server matches");
  });

  test("is no part of a plan of others, and may be selected all the same", () => {
    const both = [running(web), kept(running(docs))];
    expect(planOf(desired(web), both, { only: ["web"] })).toMatchObject({ changes: [{}], skipped: [] });
    expect(planOf(desired(web), both, { only: ["docs"] })).toMatchObject({ changes: [], skipped: ["web"] });
    expect(planOf(desired(web), both, { except: ["docs"] })).toMatchObject({ changes: [{}], skipped: [] });
  });

  test("goes when everything goes, and one of another project does not", () => {
    const other = kept({ ...running(docs), project: "others" });
    const plan = planOf(nothingDesired("dots", "/"), [kept(running(docs)), other]);
    expect(plan.changes).toMatchObject([{ server: "docs", action: "remove", breaksSessions: true }]);
    expect(plan).not.toHaveProperty("kept");
  });

  test.each([
    ["the same", docs, "update"],
    ["something else in place", { ...docs, description: "of today" }, "update"],
    ["another program", { ...docs, args: ["other.js"] }, "restart"],
    ["that it rests", { ...docs, wanted: "stop" as const }, "stop"],
    ["that it is not touched", { ...docs, wanted: "ignore" as const }, "none"],
  ])("is taken over by a configuration that says %s", (_name, declared, action) => {
    const plan = planOf(desired(declared), [kept(running(docs))]);
    expect(plan.changes).toMatchObject([{ server: "docs", action }]);
    expect(plan.changes[0]?.reasons.some(({ kind }) => kind === "kept")).toBe(action !== "none");
    expect(plan).not.toHaveProperty("kept");
  });

  test("moves to the manager that a configuration declares it for", () => {
    const plan = planOf(desired({ ...docs, backend: "systemd" }), [kept(running(docs))]);
    expect(plan.changes.map(({ action, reasons }) => [action, reasons[0]?.kind])).toEqual([
      ["remove", "moved"],
      ["add", "moved"],
    ]);
  });

  test("is nobody's in a record that does not say so", () => {
    expect(planOf(desired(web), [running(web), running(docs)]).changes).toMatchObject([
      { server: "docs", action: "remove" },
      { server: "web", action: "none" },
    ]);
  });
});
