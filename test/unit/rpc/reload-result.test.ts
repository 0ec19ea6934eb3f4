import { describe, expect, it } from "vitest";
import { outcomeOf } from "../../../src/agent/operations/reload.ts";
import type { Observed } from "../../../src/model/observed.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { reloadResult } from "../../../src/rpc/reload-result.ts";
import { desired, resting, running, spec } from "../reconciler/fixtures.ts";

const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => spec(name)) as [Spec, Spec, Spec, Spec];
type Spec = ReturnType<typeof spec>;
const done = (server: string, action: "add" | "remove" | "restart") =>
  ({ type: "done", server, action, detail: "" }) as const;
const failed = (server: string, action: "add" | "remove" | "restart", over: object = {}) =>
  ({ type: "failed", server, action, message: "it broke", lastLines: [], ...over }) as const;

function planOf(servers: readonly Spec[], observed: readonly Observed[]) {
  const plan = buildPlan(desired(...servers), observed);
  if (!plan.ok) throw new Error("no plan");
  return plan.value;
}

describe("the result of a reload", () => {
  it("has each name in one list, by how its change ended", () => {
    const plan = planOf([a, b, { ...c, env: { X: "1" } }], [running(b), running(c), running(d)]);
    const all = [done("a", "add"), done("c", "restart"), done("d", "remove")];
    const whole = { added: ["a"], removed: ["d"], changed: ["c"], unchanged: ["b"], failed: [] };
    expect(reloadResult(plan, all)).toEqual(whole);
    expect(reloadResult(plan, [failed("a", "add"), done("c", "restart"), failed("d", "remove")])).toEqual({
      ...{ added: [], removed: [], changed: ["c"], unchanged: ["b"] },
      failed: [
        { name: "a", code: -32006, message: "it broke" },
        { name: "d", code: -32603, message: "it broke" },
      ],
    });
  });

  it("tells a held port from another failure, and what was not tried", () => {
    const plan = planOf([a, b], [resting(b, { state: "failed" })]);
    const skipped = { type: "skipped", server: "b", action: "start", message: "a failed" } as const;
    const { failed: told } = reloadResult(plan, [failed("a", "add", { portConflict: true }), skipped]);
    expect(told.map(({ name, code }) => [name, code])).toEqual([
      ["a", -32002],
      ["b", -32005],
    ]);
  });

  it("names the servers of a backend that does not answer", () => {
    const unreachable = [{ backend: "supervisord", message: "nobody answers", servers: ["x", "y"] }] as const;
    const { failed: told } = reloadResult({ ...planOf([a], [running(a)]), unreachable }, []);
    expect(told.map(({ name, message }) => [name, message])).toEqual([
      ["x", "nobody answers"],
      ["y", "nobody answers"],
    ]);
  });
});

describe("what the command says of a reload", () => {
  const result = { added: [], removed: [], changed: ["a"], unchanged: [], failed: [] };
  const said = (code: number, document: unknown) => ({ code, stdout: JSON.stringify(document), stderr: "" });

  it("is a result whatever its exit code, once something was evaluated", () => {
    for (const code of [0, 1, 2]) expect(outcomeOf(said(code, result))).toEqual(result);
  });

  const port = { severity: "error", message: "port 1 is held", portConflict: true };
  const secret = { severity: "error", message: "no secret" };
  it.each([
    [3, [secret], -32003],
    [75, [], -32007],
    [1, [port], -32002],
    [1, [secret, port], -32002],
    [1, [secret], -32003],
    [2, [], -32603],
    [1, [], -32603],
  ])("ended with %i and %j: error %i", (code, problems, expected) => {
    const refused = () => outcomeOf(said(code, { error: { message: "no", problems } }));
    expect(refused).toThrow(
      expect.objectContaining({ code: expected, message: expect.stringMatching(/^no/) }),
    );
  });

  it.each(["", "[]", "null", "3", '{"error":3}', '{"added":[]}', "no JSON"])(
    "is %j: a crash of it",
    (stdout) => {
      expect(() => outcomeOf({ code: 1, stdout, stderr: "it fell\n" })).toThrow("it fell");
    },
  );
});
