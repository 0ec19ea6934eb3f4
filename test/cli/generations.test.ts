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
  expect((await home.xy("rollback", "9", "--yes")).stderr).toContain("there is none; see `xy history`");
  expect(await mode()).toBe("two");
});

test("without history there is nothing to go back to", async () => {
  expect(await home.did("history")).toBe("Nothing was applied yet.\n");
  await apply("one");
  const outcome = await home.xy("rollback", "--yes");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stderr).toContain("there is no earlier generation");
});
