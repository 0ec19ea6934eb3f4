import { expect, it } from "vitest";
import type { ClientChange } from "../../../src/model/client-plan.ts";
import { diffClients } from "../../../src/reconciler/diff-clients.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { eventText } from "../../../src/views/apply-text.ts";
import { planView } from "../../../src/views/plan.ts";
import { desired, NOW, running, spec } from "../reconciler/fixtures.ts";

const file = "/h/.cursor/mcp.json";
const http = (port: number) => ({ type: "http", url: `http://127.0.0.1:${port}/mcp` });

function view(clients: readonly ClientChange[]): string {
  const built = buildPlan(desired(spec("a")), [running(spec("a"))], [], {}, { clients });
  if (!built.ok) throw new Error("no plan");
  return planView(built.value, {
    colour: false,
    width: 80,
    now: NOW,
    shorten: (path) => path.replace("/h", "~"),
  });
}

it("a plan shows what becomes of a client's file, and what is left alone", () => {
  const owner = { project: "dots", server: "x" };
  const { changes } = diffClients(
    [
      {
        ...{ client: "cursor", scope: "user", file, missing: [{ name: "gone", server: "gone" }] },
        wanted: [
          { server: "a", name: "a", value: http(2) },
          { server: "b", name: "b", value: http(3) },
          { server: "c", name: "c", value: { command: "xy", args: ["connect", "dots/c"] } },
        ],
        entries: [
          { name: "a", value: http(1), owner, isChanged: true },
          { name: "old", value: http(9), owner, isChanged: false },
          ...["github", "linear"].map((name) => ({ name, value: {}, isChanged: false })),
        ],
      },
      {
        ...{ client: "zed", scope: "user", file: "/h/.config/zed/settings.json", missing: [], wanted: [] },
        entries: [{ name: "old", value: http(9), owner, isChanged: false }],
      },
      {
        ...{ client: "codex", scope: "user", file: "/h/.codex/config.toml", missing: [], entries: [] },
        wanted: [{ server: "a", name: "a", value: http(2) }],
      },
    ],
    { project: "dots", adopts: false },
  );
  expect(view(changes)).toMatchInlineSnapshot(`
    "  ~ client cursor will be changed (~/.cursor/mcp.json)
          ~ a: url http://127.0.0.1:1/mcp -> http://127.0.0.1:2/mcp
          + b: http://127.0.0.1:3/mcp
          + c: xy connect dots/c
          - gone (is gone already)
          - old
            (not xy's, left alone: github, linear)

      - client zed will lose its entries (~/.config/zed/settings.json)
          - old

      + client codex will be set up (~/.codex/config.toml)
          + a: http://127.0.0.1:2/mcp

    drifted: client cursor: a was changed outside xy, and will be restored

    Plan: 1 to add (client codex), 1 to change (client cursor), 1 to remove
            (client zed).
    "
  `);
});

it("a plan that changes nothing counts the clients that match", () => {
  const matching: ClientChange = {
    ...{ client: "cursor", scope: "user", file, change: "none", others: ["x"] },
    entries: [{ name: "a", server: "a", change: "none", fields: [] }],
  };
  expect(view([matching])).toBe("No changes. 1 server and 1 client match the configuration.\n");
  expect(view([{ ...matching, fault: "cannot read it" }])).toBe(
    "No changes. 1 server matches the configuration.\n",
  );
});

it("an event says what was written in part", () => {
  const event = { type: "skipped", server: "client cursor", action: "update", message: "b failed" } as const;
  expect(eventText(event)).toBe("client cursor: not changed: b failed");
  expect(eventText({ ...event, partly: true })).toBe("client cursor: changed in part: b failed");
});
