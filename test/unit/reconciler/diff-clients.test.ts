import { describe, expect, it } from "vitest";
import { canonicalHash } from "../../../src/model/canonical.ts";
import type { ClientState, ObservedEntry, WantedEntry } from "../../../src/model/client-plan.ts";
import { diffClients } from "../../../src/reconciler/diff-clients.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { desired, spec } from "./fixtures.ts";

/** What a client's file is to say, what it says, and who wrote that: what follows for each entry. */

const at = (port: number) => ({ type: "http", url: `http://127.0.0.1:${port}/mcp` });
const want = (name: string, value: unknown = at(1), server = name): WantedEntry => ({ server, name, value });
const ours = (name: string, value: unknown = at(1), isChanged = false): ObservedEntry => ({
  ...{ name, value, isChanged },
  owner: { project: "dots", server: name },
});
const theirs = (name: string, value: unknown = at(9)): ObservedEntry => ({ name, value, isChanged: false });
const others = (name: string, value: unknown = at(9)): ObservedEntry => ({
  ...{ name, value, isChanged: false },
  owner: { project: "work", server: name },
});
const cursor = (over: Partial<ClientState>): ClientState => ({
  ...{ client: "cursor", scope: "user", file: "/h/.cursor/mcp.json" },
  ...{ wanted: [], entries: [], missing: [] },
  ...over,
});

/** What happens, as `client change: +a ~b(drift) | others`, then messages. */
function outcome(state: ClientState, adopts = false): string[] {
  const { changes, diagnostics } = diffClients([state], { project: "dots", adopts });
  const signs = { add: "+", update: "~", remove: "-", none: "=" };
  const told = changes.map(({ change, entries, others: left }) => {
    const all = entries.map(
      (entry) =>
        `${signs[entry.change]}${entry.name}${entry.drift ? `(${entry.drift})` : ""}${entry.adopted ? "(adopted)" : ""}`,
    );
    return [change, ...all, ...(left.length > 0 ? ["|", ...left] : [])].join(" ");
  });
  return [...told, ...diagnostics.map(({ severity, message }) => `${severity}: ${message}`)];
}

describe("an entry", () => {
  const WAYS = "give cursor a prefix, or leave a out of it with except";
  it.each<[string, Partial<ClientState>, string[]]>([
    ["that is wanted and not there", { wanted: [want("a")] }, ["add +a"]],
    ["beside others", { wanted: [want("a")], entries: [theirs("b")] }, ["add +a | b"]],
    ["that is there as xy wrote it", { wanted: [want("a")], entries: [ours("a")] }, ["none =a"]],
    [
      "that is there with its keys in another order",
      { wanted: [want("a", { url: "u", type: "t" })], entries: [ours("a", { type: "t", url: "u" })] },
      ["none =a"],
    ],
    ["that has to say something else", { wanted: [want("a", at(2))], entries: [ours("a")] }, ["update ~a"]],
    [
      "that somebody has changed",
      { wanted: [want("a")], entries: [ours("a", at(7), true)] },
      ["update ~a(changed)"],
    ],
    [
      "that somebody has changed to what is wanted now",
      { wanted: [want("a", at(7))], entries: [ours("a", at(7), true)] },
      ["none =a"],
    ],
    [
      "that somebody has removed",
      { wanted: [want("a")], missing: [{ name: "a", server: "a" }] },
      ["update +a(removed)"],
    ],
    ["that is not wanted any more", { entries: [ours("a"), theirs("b")] }, ["remove -a | b"]],
    [
      "that is not wanted any more, and was changed",
      { entries: [ours("a", at(7), true)] },
      ["remove -a(changed)"],
    ],
    [
      "that is not wanted any more, and is gone",
      { missing: [{ name: "a", server: "a" }] },
      ["remove -a(removed)"],
    ],
    [
      "that comes, one that stays and one that goes",
      { wanted: [want("a"), want("b")], entries: [ours("b"), ours("c")] },
      ["update +a =b -c"],
    ],
    [
      "by another name for the same server",
      { wanted: [want("w-a", at(1), "a")], entries: [ours("a")] },
      ["update -a +w-a"],
    ],
    [
      "of somebody else by that name",
      { wanted: [want("a"), want("b")], entries: [theirs("a")] },
      [
        "add +b | a",
        `error: cannot write a into /h/.cursor/mcp.json: there is an entry of that name which xy did not write; take it over with --adopt, ${WAYS}`,
      ],
    ],
    [
      "of somebody else that says the same",
      { wanted: [want("a", at(9))], entries: [theirs("a")] },
      [
        "none | a",
        "warning: cursor has a already, as it should be, but xy did not write it: it stays when the server goes; --adopt takes it over",
      ],
    ],
    [
      "of another project by that name",
      { wanted: [want("a")], entries: [others("a")] },
      [
        "none | a",
        `error: cannot write a into /h/.cursor/mcp.json: project work has an entry of that name there; ${WAYS}`,
      ],
    ],
    ["of another project that nobody wants here", { entries: [others("a")] }, ["none | a"]],
    [
      "that the client cannot have",
      { wanted: [{ ...want("a"), fault: "no such name" }] },
      ["none", "error: no such name"],
    ],
    [
      "in a file that cannot be read",
      { wanted: [want("a")], fault: "cannot read /h/.cursor/mcp.json: it is no JSON" },
      [
        "none",
        "warning: cannot read /h/.cursor/mcp.json: it is no JSON; the entries of cursor stay as they are",
      ],
    ],
  ])("%s", (_, state, expected) => {
    expect(outcome(cursor(state))).toEqual(expected);
  });

  it("of somebody else is taken over on request, one of another project is not", () => {
    const state = cursor({ wanted: [want("a"), want("b", at(9))], entries: [theirs("a"), theirs("b")] });
    expect(outcome(state, true)).toEqual(["update ~a(adopted) ~b(adopted)"]);
    expect(outcome(cursor({ wanted: [want("a")], entries: [others("a")] }), true)).toHaveLength(2);
  });
});

it("names what differs, and of what was found nothing that may be a secret", () => {
  const found = {
    url: "http://me:s3cr3t@127.0.0.1:7/mcp?key=s3cr3t",
    headers: { Authorization: "Bearer s3cr3t" },
    command: "s3cr3t",
    off: true,
  };
  const state = cursor({ wanted: [want("a")], entries: [ours("a", found, true)] });
  const { changes } = diffClients([state], { project: "dots", adopts: false });
  expect(changes[0]?.entries[0]).toEqual({
    name: "a",
    server: "a",
    change: "update",
    value: at(1),
    found: canonicalHash(found),
    drift: "changed",
    fields: [
      { field: "type", to: "http" },
      { field: "url", from: "http://127.0.0.1:7/mcp?…", to: "http://127.0.0.1:1/mcp" },
      { field: "headers.Authorization", from: "(not shown)" },
      { field: "command", from: "(not shown)" },
      { field: "off", from: true },
    ],
  });
});

it("is left out of a plan with its server, and with it what is wrong with it", () => {
  const state = cursor({ wanted: [want("a"), want("b")], entries: [theirs("a"), ours("old")] });
  const { changes, diagnostics } = diffClients([state], { project: "dots", adopts: false });
  const declared = desired(spec("a"), spec("b"));
  const planOf = (only: string[]) => {
    const built = buildPlan(declared, [], diagnostics, { only }, { clients: changes });
    if (!built.ok) throw new Error("no plan");
    return built.value;
  };
  expect(planOf(["b"])).toMatchObject({
    clients: [{ change: "add", entries: [{ name: "b" }] }],
    diagnostics: [],
    skipped: ["a", "old"],
  });
  // A server that only a client's file still names can be chosen, too.
  expect(planOf(["old"])).toMatchObject({ clients: [{ change: "remove", entries: [{ name: "old" }] }] });
  expect(planOf(["a"])).toMatchObject({ clients: [{ change: "none", entries: [] }], diagnostics: [{}] });
});
