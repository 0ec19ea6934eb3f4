import { readFileSync, rmSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

let home: Home;
beforeEach(() => {
  home = newHome();
});

const mode = async () => {
  const { spec } = (await home.json("status", "web")) as { spec: { env: Record<string, unknown> } };
  return spec.env.MODE;
};
const apply = async (value: string) => {
  home.declare("web", `env { MODE "${value}" }`);
  await home.did("apply", "--yes");
};
const generationFile = (number: number) => `${home.state}/projects/tools/generations/${number}.json`;

test("each apply that changes something is a generation, newest first", async () => {
  await apply("one");
  await apply("one");
  await apply("two");
  rmSync(home.pathOf("servers.d/web.kdl"));
  await home.did("apply", "--yes");
  const lines = (await home.did("history")).trim().split("\n");
  expect(lines.map((line) => line.replace(/\d{4}-\S+ \S+Z/, "TIME"))).toEqual([
    "3  TIME  complete       -web (0 files)",
    "2  TIME  complete       ~web (1 file)",
    "1  TIME  complete       +web (1 file)",
  ]);
  expect(await home.json("history")).toMatchObject([
    { number: 1 },
    { number: 2 },
    { number: 3, servers: [] },
  ]);
});

test("a rollback brings an earlier state back, and plan tells until the configuration is applied", async () => {
  await apply("one");
  await apply("two");
  await apply("three");
  await home.did("rollback", "--yes");
  expect(await mode()).toBe("two");
  await home.did("rollback", "--yes");
  expect(await mode()).toBe("one");
  const plan = await home.did("plan");
  expect(plan).toContain("Generation 5, a rollback to 1, is active. An apply returns to the configuration.");
  expect(plan).toContain('~ env.MODE: "one" -> "three"');
  expect(await home.json("plan")).toMatchObject({ rolledBack: { generation: 5, of: 1 } });
  await home.did("rollback", "2", "--yes");
  expect(await mode()).toBe("two");
  await home.did("apply", "--yes");
  expect(await mode()).toBe("three");
  expect(await home.did("plan")).not.toContain("Generation");
});

test("on a terminal an apply asks once more before it leaves a rollback", async () => {
  await apply("one");
  await apply("two");
  await home.did("rollback", "--yes");
  const terminal = home.terminal("xy apply");
  await terminal.prints("Apply these changes? [y/N]");
  terminal.types("y\r");
  await terminal.prints("Generation 3, a rollback to 1, is active. Return to the configuration? [y/N]");
  terminal.types("n\r");
  expect(await terminal.ended).toMatchObject({ code: 1 });
  expect(await mode()).toBe("one");
});

test("a rollback looks secrets up anew, and stops when something it needs is gone", async () => {
  home.write("../token", "s3cr3t-old");
  home.write("tool", "#!/bin/sh\necho up; exec sleep 600\n");
  await home.shell("chmod +x tool");
  const server = (more: string) =>
    `command "../tool"\nport "none"\nreadiness "log" pattern="^up$"\nenv { TOKEN (file)"~/token"; ${more} }\n`;
  home.write("servers.d/web.kdl", server('MODE "one"'));
  await home.did("apply", "--yes");
  home.write("servers.d/web.kdl", server('MODE "two"'));
  home.write("../token", "s3cr3t-new");
  await home.did("apply", "--yes");
  await home.did("rollback", "--yes");
  expect(await mode()).toBe("one");
  expect(readFileSync(`${home.state}/projects/tools/servers/web/spec.json`, "utf8")).toContain("s3cr3t-new");

  await home.did("apply", "--yes");
  rmSync(home.pathOf("tool"));
  rmSync(home.pathOf("../token"));
  const outcome = await home.xy("rollback", "1", "--yes");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain("web: cannot run");
  expect(outcome.stdout).toContain("web: cannot get the secret for TOKEN");
  expect(await mode()).toBe("two");
});

test("a generation that is torn is shown as such, and not gone back to", async () => {
  await apply("one");
  await apply("two");
  home.write(generationFile(1), '{"version": 1, "num');
  expect(await home.did("history")).toContain("1  cannot be read");
  const outcome = await home.xy("rollback", "1", "--yes");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stderr).toContain("cannot roll back to generation 1: its file cannot be read");
  expect((await home.xy("history", "1")).stderr).toContain(
    "cannot show generation 1: its file cannot be read",
  );
  // What cannot be read is not compared with, and said so.
  expect(await home.did("history", "2")).toContain("the first; 1 cannot be read:\n\n  + web added");
  expect((await home.xy("rollback", "9", "--yes")).stderr).toContain("there is none; there are 1 and 2");
  expect(await mode()).toBe("two");
});

test("without history there is nothing to go back to", async () => {
  expect(await home.did("history")).toBe("Nothing was applied yet.\n");
  await apply("one");
  const outcome = await home.xy("rollback", "--yes");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stderr).toContain("there is no earlier generation");
});

test("a generation shows what it changed, and two how they differ", async () => {
  home.write("../token", "s3cr3t-1");
  const declare = (mode: string) => home.declare("web", `env { MODE "${mode}"; TOKEN (file)"~/token"; }`);
  declare("one");
  await home.did("apply", "--yes");
  home.write("../token", "s3cr3t-2");
  declare("two");
  home.declare("db");
  await home.did("apply", "--yes");
  rmSync(home.pathOf("servers.d/db.kdl"));
  declare("three");
  await home.did("apply", "--yes");
  const shown = async (...words: string[]) =>
    (await home.did("history", ...words)).replace(/\d{4}-\S+ \S+Z/, "TIME");
  const changed = "~ env.TOKEN: (secret from file ~/token) (changed)".replace("~/", `${home.path}/`);
  expect(await shown("1")).toMatch(/^Generation 1, TIME, the first:\n\n {2}\+ web added\n {6}\+ command: /);
  expect(await shown("2")).toMatch(
    /^Generation 2, TIME, compared with 1:\n\n {2}\+ db added\n[^~]*\n\n {2}~ web changed\n/,
  );
  expect(await shown("2")).toContain(`      ~ env.MODE: "one" -> "two"\n      ${changed}\n`);
  expect(await shown("3")).toBe(
    'Generation 3, TIME, compared with 2:\n\n  - db removed\n\n  ~ web changed\n      ~ env.MODE: "two" -> "three"\n',
  );
  expect(await shown("3", "1")).toBe(
    `Generation 1, TIME, compared with 3:\n\n  ~ web changed\n      ~ env.MODE: "three" -> "one"\n      ${changed}\n`,
  );
  expect(await shown("2", "2")).toBe("Generation 2, TIME, compared with 2:\n\nNothing differs.\n");
  expect(await home.json("history", "3")).toMatchObject({
    ...{ version: 1, project: "tools", number: 3, from: 2 },
    summary: { add: [], change: ["web"], remove: ["db"] },
    changes: [
      { server: "db", action: "remove" },
      { server: "web", action: "update", fields: [{ field: "env.MODE", from: "two", to: "three" }] },
    ],
  });
  expect(await home.xy("history", "3", "9")).toMatchObject({
    code: 1,
    stderr: "xy: cannot compare generation 9: there is none; there are 1 to 3\n",
  });
});

test("what a rollback would do is shown, and not done", async () => {
  await apply("one");
  await apply("two");
  const before = await home.json("status", "web");
  const text = await home.did("rollback", "--plan");
  expect(text).toContain('~ env.MODE: "two" -> "one"');
  expect(await home.xy("rollback", "1", "--plan", "--detailed-exitcode")).toMatchObject({
    code: 4,
    stdout: text,
  });
  expect(await home.xy("rollback", "2", "--plan", "--detailed-exitcode")).toMatchObject({ code: 0 });
  expect(await home.json("rollback", "1", "--plan")).toMatchObject({
    ...{ version: 1, generation: 1 },
    summary: { change: ["web"] },
  });
  expect(await home.xy("rollback", "1", "--plan", "--yes")).toMatchObject({ code: 64 });
  expect(await home.json("status", "web")).toMatchObject({ pid: (before as { pid: number }).pid });
  expect(await home.json("history")).toHaveLength(2);
});

test("defaults are shown when they are asked for", async () => {
  home.declare("web");
  expect(await home.did("plan")).toMatch(/\(\d+ defaults hidden; --defaults shows them\)/);
  const all = await home.did("plan", "--defaults");
  expect(all).toContain("+ restart.policy: on-failure");
  expect(all).not.toContain("hidden");
});
