import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

let home: Home;
beforeEach(async () => {
  home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
});

const record = () => `${home.state}/projects/tools/servers/web/spec.json`;

/** An editor's save: the content is changed where it is. */
function edit(from: string, to: string): void {
  const { mtimeMs } = statSync(record());
  writeFileSync(record(), readFileSync(record(), "utf8").replace(from, to));
  utimesSync(record(), new Date(), new Date(mtimeMs + 1000));
}

test.each([
  ["under a running agent", async () => undefined],
  ["between two agents", () => home.did("agent", "stop", "--keep-servers")],
])(
  "a record that was edited %s is drift: shown, and put right by an apply, without a restart",
  async (_, before) => {
    await before();
    edit('"grace":10000', '"grace":99000');
    const { pid } = (await home.servers()).web ?? {};
    const plan = await home.did("plan");
    expect(plan).toContain("because it was changed outside xy: its record in the state folder was edited");
    expect(plan).toContain("drifted: web");
    expect(await home.json("plan")).toMatchObject({ summary: { drifted: ["web"] } });
    await home.did("apply", "--yes");
    expect(await home.did("plan")).toContain("No changes");
    expect((await home.servers()).web).toMatchObject({ pid });
    expect(readFileSync(record(), "utf8")).toContain('"grace":10000');
  },
);

test("what the operator did is no drift, nor is a new agent", async () => {
  await home.did("agent", "stop", "--keep-servers");
  await home.did("restart", "web");
  expect(await home.did("plan")).toContain("No changes");
  await home.did("stop", "web");
  const plan = await home.did("plan");
  expect(plan).toContain("held: web");
  expect(plan).not.toContain("outside xy");
});
