import fc from "fast-check";
import { expect, test } from "vitest";
import { acyclic } from "../../../src/model/graph.ts";
import { joined } from "../../../src/reconciler/order.ts";

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

const anyGraph = fc
  .array(fc.array(fc.nat(11), { maxLength: 4 }), { maxLength: 12 })
  .map((rows) => new Map(rows.map((needed, i) => [`s${i}`, needed.map((n) => `s${n}`)])));

test("joined: a wish that would close a cycle is not granted, and of a cycle of wishes none is", () => {
  const firm = graph({ a: ["b"], b: [], c: [], d: [] });
  expect(joined(firm, graph({ c: ["a"] }))).toEqual(graph({ a: ["b"], b: [], c: ["a"], d: [] }));
  expect(joined(firm, graph({ b: ["a"], d: ["c"] }))).toEqual(graph({ a: ["b"], b: [], c: [], d: ["c"] }));
  expect(joined(firm, graph({ c: ["d"], d: ["c"] }))).toEqual(firm);
});

test("property: joined keeps every firm edge, and closes no cycle", () => {
  fc.assert(
    fc.property(anyGraph, anyGraph, (any, wishes) => {
      const firm = acyclic(any);
      const known = [...wishes].map(([name, needed]) => [name, needed.filter((n) => firm.has(n))] as const);
      const whole = joined(firm, new Map(known));
      expect(acyclic(whole)).toEqual(whole);
      for (const [name, needed] of firm) expect(whole.get(name)?.slice(0, needed.length)).toEqual(needed);
    }),
  );
});
