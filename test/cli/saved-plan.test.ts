import { cpSync, readFileSync, statSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

const SECRET = "s3cr3t-saved-plan";
let home: Home;
beforeEach(() => {
  home = newHome();
  home.write("../token", SECRET);
  home.declare("web", 'env { TOKEN (file)"~/token"; MODE "one" }');
});

const change = (path: string, from: string | RegExp, to: string) =>
  home.write(path, readFileSync(home.pathOf(path), "utf8").replace(from, to));

const processes = async () =>
  Object.values(await home.servers()).map(({ name, state, pid }) => [name, state, pid]);

test("a saved plan is carried out exactly, without a question, and only once", async () => {
  const saved = await home.xy("plan", "-o", "today.plan");
  expect(saved).toMatchObject({ code: 0 });
  expect(saved.stderr).toContain("`xy apply today.plan` carries out exactly this");
  expect(await home.did("apply", "today.plan")).toContain("Apply complete: 1 added");
  const again = await home.xy("apply", "today.plan");
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain("saved plan is stale: web changed since it was made");
  expect(await home.did("plan")).toContain("No changes");
});

test("it holds no secret, and is nobody else's to read", async () => {
  await home.did("plan", "-o", "today.plan");
  expect(readFileSync(home.pathOf("today.plan"), "utf8")).not.toContain(SECRET);
  expect(statSync(home.pathOf("today.plan")).mode & 0o777).toBe(0o600);
});

test("it carries its selection along", async () => {
  home.declare("db");
  await home.did("plan", "--only", "db", "-o", "db.plan");
  await home.did("apply", "db.plan");
  expect(Object.keys(await home.servers())).toEqual(["db"]);
  expect(await home.xy("apply", "db.plan", "--only", "web")).toMatchObject({ code: 64 });
});

describe("is refused as stale when, since it was made,", () => {
  beforeEach(async () => {
    await home.did("apply", "--yes");
    change("servers.d/web.kdl", '"one"', '"two"');
    await home.did("plan", "-o", "p");
  });
  const causes: [string, () => Promise<unknown> | unknown][] = [
    ["the configuration changed", () => change("servers.d/web.kdl", '"two"', '"three"')],
    ["a server was declared", () => home.declare("db")],
    ["a secret changed", () => home.write("../token", "another")],
    ["a server was stopped", () => home.did("stop", "web")],
    ["somebody else applied", () => home.did("apply", "--yes")],
    ["everything was destroyed", () => home.did("destroy", "--yes")],
  ];
  test.each(causes)("%s", async (_, cause) => {
    await cause();
    const before = await processes();
    const outcome = await home.xy("apply", "p");
    expect(outcome).toMatchObject({ code: 1 });
    expect(outcome.stderr).toContain("saved plan is stale");
    expect(await processes()).toEqual(before);
  });
  test("nothing: then it is carried out", async () => {
    expect(await home.did("apply", "p")).toContain("1 changed");
  });
});

describe("a file that is no plan of this machine", () => {
  const edits: [string, (text: string) => string, string][] = [
    ["edited", (text) => text.replace('"action": "add"', '"action": "none"'), "it was edited"],
    ["torn", (text) => text.slice(0, text.length / 2), "it is incomplete, or not a plan"],
    ["empty", () => "", "it is incomplete, or not a plan"],
    ["of another kind", () => '{"name": "xyctl"}', "it is not a saved plan"],
    ["null", () => "null", "it is not a saved plan"],
    ["of a newer xy", (text) => text.replace('"version": 1', '"version": 2'), "a newer xy made it"],
    ["with a field missing", (text) => text.replace(/ *"project".*\n/, ""), "it is damaged"],
  ];
  test.each(edits)("%s is refused with the reason, and nothing is done", async (_, edit, reason) => {
    await home.did("plan", "-o", "p");
    home.write("p", edit(readFileSync(home.pathOf("p"), "utf8")));
    const outcome = await home.xy("apply", "p");
    expect(outcome).toMatchObject({ code: 1 });
    expect(outcome.stderr).toContain(`cannot apply p: ${reason}`);
    expect(await home.servers()).toEqual({});
  });

  test("from another machine is refused", async () => {
    await home.did("plan", "-o", "p");
    const other = newHome();
    cpSync(home.project, other.project, { recursive: true });
    const outcome = await other.xy("apply", "p");
    expect(outcome).toMatchObject({ code: 1 });
    expect(outcome.stderr).toContain("it was made on another machine");
  });

  test("that is not there is refused", async () => {
    expect((await home.xy("apply", "none.plan")).stderr).toContain("there is no such file");
  });
});

test("a plan that cannot be saved is a failure, told in words", async () => {
  const outcome = await home.xy("plan", "-o", "no/such/folder/p");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stderr).toContain("cannot save the plan to no/such/folder/p");
});
