import { expect, it } from "vitest";
import { homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

it("works on those that --only names, and says which were left out", async () => {
  const home = newHome();
  for (const name of ["a", "b", "c"]) home.declare(name);
  const said = await home.did("apply", "--yes", "--only", "a", "--only", "b");
  expect(said).toContain("left out: c\n");
  expect(said).toContain("Plan: 2 to add (a, b), 0 to change, 0 to remove.\n");
  expect(Object.keys(await home.servers())).toEqual(["a", "b"]);
  expect((await home.xy("plan", "--detailed-exitcode", "--only", "a")).code).toBe(0);
  expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(4);
});

it("leaves out those that --except names, also when they are no longer declared", async () => {
  const home = newHome();
  for (const name of ["a", "b", "c"]) home.declare(name);
  await home.did("apply", "--yes");
  await home.shell("rm servers.d/a.kdl servers.d/b.kdl");
  expect(await home.did("apply", "--yes", "--except", "a")).toContain(
    "Plan: 0 to add, 0 to change, 1 to remove (b).\n",
  );
  expect(Object.keys(await home.servers())).toEqual(["a", "c"]);
});

it.each(["--only", "--except"])("refuses a name that %s does not find", async (flag) => {
  const home = newHome();
  home.declare("web");
  expect(await home.xy("plan", flag, "wbe")).toMatchObject({
    code: 64,
    stderr: `xy: cannot select "wbe" with ${flag}: no such server; did you mean "web"?\n`,
  });
});

it("leaves out what both name", async () => {
  const home = newHome();
  home.declare("a");
  home.declare("b");
  const said = await home.did("plan", "--only", "a", "--only", "b", "--except", "b");
  expect(said).toContain("left out: b\n\nPlan: 1 to add (a), 0 to change, 0 to remove.\n");
});
