import fc from "fast-check";
import { expect, test } from "vitest";
import { type TreeNode, treeView } from "../../../src/views/tree.ts";

const PLAIN = { colour: false, ascii: false };

function node(name: string, needs: readonly string[] = [], over: Partial<TreeNode> = {}): TreeNode {
  const dependsOn = needs.map((server) => ({ server, condition: "ready" as const }));
  return {
    name,
    project: "dots",
    state: "running",
    ready: true,
    held: false,
    paused: false,
    waitsFor: [],
    dependsOn,
    ...over,
  };
}

const db = { server: "db", condition: "ready", state: "held", resting: true } as const;
const seed = { server: "seed", condition: "completed", state: "failed: exit 7", resting: true } as const;

/** A shop: two that serve, what they need, and one that is on its own. */
const shop = [
  node("api", ["db", "cache"], { state: "stopped", waitsFor: [db, seed] }),
  node("cache", ["net"]),
  node("db", ["net"], { state: "stopped", held: true }),
  node("net", [], { ready: null }),
  node("notes", ["gone"], { state: "failed" }),
  node("web", [], {
    dependsOn: [
      { server: "api", condition: "started" },
      { server: "cache", condition: "ready" },
    ],
    state: "stopped",
    waitsFor: [{ server: "api", condition: "started", state: "waiting for db, seed", resting: false }],
  }),
];

test("what is needed stands below whoever needs it, and what is below that only once", () => {
  expect(treeView(shop, PLAIN)).toMatchInlineSnapshot(`
    "notes         failed
    └─ gone       not applied
    web           waits for api: waiting for db, seed
    ├─ api        waits for db (+1): held (needed started)
    │  ├─ db      stopped (held)
    │  │  └─ net  running, not ready yet
    │  └─ cache   running, ready
    │     └─ net  running, not ready yet (see above)
    └─ cache      running, ready (see above)
    "
  `);
});

test("without box-drawing characters, and cut to the terminal", () => {
  const narrow = treeView(shop, { colour: false, ascii: true, width: 40 });
  expect(narrow).toMatchInlineSnapshot(`
    "notes         failed
    \`- gone       not applied
    web           waits for api: waiting fo…
    |- api        waits fo… (needed started)
    |  |- db      stopped (held)
    |  |  \`- net  running, not ready yet
    |  \`- cache   running, ready
    |     \`- net  running, not … (see above)
    \`- cache      running, ready (see above)
    "
  `);
});

test("several projects, a circle, and nothing at all", () => {
  const circle = [node("a", ["b"]), node("b", ["a"]), node("a", [], { project: "work" })];
  expect(treeView(circle, PLAIN)).toMatchInlineSnapshot(`
    "work/a   running, ready
    dots/a   running, ready
    └─ b     running, ready
       └─ a  running, ready (see above)
    "
  `);
  expect(treeView([], PLAIN)).toBe("No servers. `xy apply` brings up what the configuration declares.\n");
});

test("a chain of any length fits", () => {
  const chain = Array.from({ length: 1000 }, (_, i) => node(`s${i}`, i === 999 ? [] : [`s${i + 1}`]));
  expect(treeView(chain, PLAIN).split("\n")).toHaveLength(1001);
});

test("property: every server is there, and every need has a line", () => {
  const anyNodes = fc.array(fc.uniqueArray(fc.nat(9), { maxLength: 4 }), { maxLength: 10 });
  fc.assert(
    fc.property(anyNodes, (rows) => {
      const nodes = rows.map((needs, i) =>
        node(
          `s${i}`,
          needs.map((n) => `s${n}`),
        ),
      );
      const lines = treeView(nodes, PLAIN).trimEnd().split("\n");
      if (rows.length === 0) return;
      for (const { name } of nodes)
        expect(lines.some((line) => line.match(new RegExp(`${name} `)))).toBe(true);
      const edges = nodes.reduce((sum, { dependsOn }) => sum + dependsOn.length, 0);
      expect(lines.filter((line) => /[├└]/.test(line))).toHaveLength(edges);
    }),
  );
});
