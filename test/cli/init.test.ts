import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { newHome } from "./cli.ts";

describe("a starter configuration", () => {
  it.each(["typescript", "kdl", "yaml", "json"])("in %s is valid, and runs", async (format) => {
    const home = newHome();
    const said = await home.did("init", "--format", format);
    expect(said).toMatch(/^wrote xy\.config\.\w+\n/);
    expect((await home.xy("check")).stdout).toBe("The configuration is valid: project tools, 1 server.\n");
    expect(await home.did("apply", "--yes")).toContain("Apply complete: 1 added, 0 changed, 0 removed.\n");
    const [server] = Object.values(await home.servers());
    const answer = await fetch(`http://127.0.0.1:${server?.port}/`);
    expect(await answer.text()).toBe("hello");
  });

  it("overwrites nothing", async () => {
    const home = newHome();
    home.write("servers.d/hello.kdl", "// mine\n");
    expect(await home.did("init", "--format", "kdl")).toContain("kept  servers.d/hello.kdl (it was there)\n");
    const before = readdirSync(home.project, { recursive: true });
    for (const format of ["kdl", "typescript"]) {
      expect(await home.xy("init", "--format", format)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("has a configuration already (xy.config.kdl)"),
      });
    }
    expect(readdirSync(home.project, { recursive: true })).toEqual(before);
  });

  it("goes into a folder that is named", async () => {
    const home = newHome();
    await home.did("init", "new/folder", "--format", "yaml");
    expect((await home.xy("check", "--config", "new/folder")).stdout).toBe(
      "The configuration is valid: project folder, 1 server.\n",
    );
  });
});
