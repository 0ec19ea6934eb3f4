import fc from "fast-check";
import { expect, test } from "vitest";
import { acyclic, dependencyOrder, reversed } from "../../../src/model/graph.ts";

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

test("what is needed comes first, otherwise the order given stays", () => {
  expect(dependencyOrder(graph({ web: ["api"], api: ["db"], db: [], cache: [] }))).toEqual([
    "db",
    "api",
    "web",
    "cache",
  ]);
});

test("a cycle, a name that needs itself and a name that is not there do not stop it", () => {
  const tangled = graph({ a: ["b"], b: ["a", "gone"], c: ["c"] });
  expect(dependencyOrder(tangled)).toEqual(["b", "a", "c"]);
  expect(acyclic(tangled)).toEqual(graph({ a: ["b"], b: [], c: [] }));
});

test("a chain of any length fits", () => {
  const names = Array.from({ length: 20_000 }, (_, i) => `s${i}`);
  const chain = new Map(names.map((name, i) => [name, names.slice(i + 1, i + 2)]));
  expect(dependencyOrder(chain)).toEqual(names.toReversed());
});

const anyGraph = fc
  .array(fc.array(fc.nat(11), { maxLength: 4 }), { maxLength: 12 })
  .map((rows) => new Map(rows.map((needed, i) => [`s${i}`, needed.map((n) => `s${n}`)])));

test("property: any order holds every name once, and respects every edge that closes no cycle", () => {
  fc.assert(
    fc.property(anyGraph, (any) => {
      const order = dependencyOrder(any);
      expect([...order].sort()).toEqual([...any.keys()].sort());
      for (const [name, needed] of acyclic(any)) {
        for (const other of needed) expect(order.indexOf(other)).toBeLessThan(order.indexOf(name));
      }
    }),
  );
});

test("property: a graph without cycles loses no edge", () => {
  const forward = (any: Map<string, string[]>) =>
    new Map(
      [...any].map(([name, needed]) => [
        name,
        needed.filter((n) => any.has(n) && Number(n.slice(1)) < Number(name.slice(1))),
      ]),
    );
  fc.assert(
    fc.property(anyGraph.map(forward), (dag) => {
      expect(acyclic(dag)).toEqual(dag);
    }),
  );
});

test("reversed: who needs each name", () => {
  expect(reversed(graph({ web: ["db", "gone"], db: [] }))).toEqual(graph({ web: [], db: ["web"] }));
});
