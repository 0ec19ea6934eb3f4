import { readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DAMAGES } from "../rig/damage.ts";
import { newHome } from "./cli.ts";

it("tells in the plan and in the agent's status what was damaged, and what was lost with it", async () => {
  const home = newHome();
  home.trusts();
  home.declare("web", 'env { TOKEN (env)"TOKEN"; }');
  home.declare("held");
  const env = { TOKEN: "s3cr3t-token" };
  const xy = async (...words: string[]) => (await home.xyIn({ env }, ...words)).stdout;
  await xy("apply", "--yes");
  await home.did("stop", "held");
  const before = await home.servers();
  await home.did("agent", "stop", "--keep-servers");

  const project = join(home.state, "projects/tools");
  truncateSync(join(home.state, "key"), 5);
  writeFileSync(join(project, "servers/held/state.json"), "\0\0\0");
  rmSync(join(project, "project.json"));
  DAMAGES.find(([how]) => how === "a folder")?.[1](join(project, "project.json"));

  const plan = await xy("plan");
  expect(plan).toContain("-/+ web");
  expect(plan).toMatch(
    /the secrets of web count as changed because the key .*\/key, was damaged or lost and is new/,
  );
  expect(plan).toMatch(/\/key was damaged and set aside as key\.set-aside-/);
  expect(plan).toMatch(/held\/state\.json was damaged and .*; lost with it: whether a person had stopped it/);
  expect(plan).toMatch(/project\.json was damaged and .*; lost with it: .*the ports chosen/);
  expect(await home.json("agent", "status")).toMatchObject({
    set_aside: expect.arrayContaining([
      expect.objectContaining({ from: join(home.state, "key"), lost: expect.stringContaining("secrets") }),
    ]),
  });
  expect((await home.xy("agent", "status")).stderr).toContain("held/state.json was damaged");

  await xy("apply", "--yes");
  expect((await home.servers()).web?.pid).not.toBe(before.web?.pid);
  const asides = readdirSync(home.state, { recursive: true, encoding: "utf8" }).filter((file) =>
    /set-aside-[^/]*$/.test(file),
  );
  for (const file of asides) rmSync(join(home.state, file), { recursive: true });
  expect(await xy("plan")).toBe("No changes. 2 servers match the configuration.\n");
  expect(await home.json("agent", "status")).not.toHaveProperty("set_aside");
});

it("refuses a projects folder that is none, with its path and the way out, and changes nothing", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  await home.did("agent", "stop");
  const projects = join(home.state, "projects");
  for (const how of ["empty", "a link to nowhere"]) {
    DAMAGES.find(([name]) => name === how)?.[1](projects);
    for (const words of [["list"], ["plan"], ["apply", "--yes"], ["agent", "start"]]) {
      const { code, stderr } = await home.xy(...words);
      expect({ words, code: code !== 0, stderr }).toEqual({
        words,
        code: true,
        stderr: expect.stringMatching(/cannot read \/.*\/projects: it is not a folder, .*; move it away/),
      });
    }
  }
});
