import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as prettier from "prettier";
import { describe, expect, it } from "vitest";
import { newHome } from "./cli.ts";

const ROOT = join(import.meta.dirname, "../..");

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

  it.each(["typescript", "kdl", "yaml", "json"])("in %s is as formatters leave it", async (format) => {
    const home = newHome();
    await home.did("init", "--format", format);
    await home.did("init", "more", "--format", format, "--with", "everything,memory");
    home.write("biome.json", '{ "formatter": { "indentStyle": "space" } }\n');
    const program = join(ROOT, "node_modules/.bin/biome");
    for (const name of readdirSync(home.project, { recursive: true, encoding: "utf8" })) {
      const info = await prettier.getFileInfo(name);
      if (info.inferredParser === null) continue;
      const text = readFileSync(join(home.project, name), "utf8");
      expect(await prettier.check(text, { filepath: name }), name).toBe(true);
    }
    const words = ["check", "--error-on-warnings", "."];
    const biome = spawnSync(program, words, { cwd: home.project, encoding: "utf8" });
    expect(biome, biome.stderr).toMatchObject({ status: 0 });
  });

  it.each(["yaml", "json"])("in %s needs no schema beside it", async (format) => {
    const home = newHome();
    await home.did("init", "here", "--format", format, "--schema", "package");
    await home.did("init", "there", "--format", format, "--schema", "url");
    const extension = format === "yaml" ? "yaml" : "json";
    for (const folder of ["here", "there"]) {
      expect(readdirSync(join(home.project, folder)).sort()).toEqual(["servers.d", `xy.config.${extension}`]);
      await home.did("check", "--config", folder);
    }
    const named = (file: string) =>
      /\$schema(?:=|": ")([^"\s]+)/.exec(readFileSync(join(home.project, file), "utf8"))?.[1] ?? "";
    for (const file of [`xy.config.${extension}`, `servers.d/hello.${extension}`]) {
      const path = named(`here/${file}`);
      const schema = JSON.parse(readFileSync(path, "utf8"));
      const key = format === "yaml" ? "working-dir" : "workingDir";
      expect(JSON.stringify(schema), path).toContain(`"${key}"`);
      const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
      expect(named(`there/${file}`)).toBe(`https://unpkg.com/xyctl@${version}/schema/${basename(path)}`);
    }
  });

  it.each(["typescript", "kdl", "yaml", "json"])(
    "in %s begins with MCP servers that are named",
    async (format) => {
      const home = newHome();
      await home.did("init", "--format", format, "--with", "everything,memory");
      expect(
        readdirSync(join(home.project, "servers.d"))
          .map((name) => name.split(".")[0])
          .sort(),
      ).toEqual(["everything", "memory"]);
      const checked = JSON.parse(await home.did("check", "--json"));
      expect(checked).toMatchObject({ servers: ["everything", "memory"] });
      const plan = JSON.parse(await home.did("plan", "--json"));
      const specs = plan.changes.map(({ desired }: { desired: { args: string[]; mcp: unknown } }) => desired);
      expect(specs.map(({ mcp }: { mcp: unknown }) => mcp)).toEqual([
        { path: "/mcp" },
        { path: "/mcp", transport: "stdio", share: "all" },
      ]);
      expect(specs[0].args).toContain("@modelcontextprotocol/server-everything");
      expect(specs[0].env.PORT).toBe(String(specs[0].port));
      expect(specs[1].args).toContain("@modelcontextprotocol/server-memory");
    },
  );

  it("says which servers can be named", async () => {
    const home = newHome();
    expect(await home.xy("init", "--with", "memry")).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('cannot write a server "memry": did you mean memory?'),
    });
    expect(readdirSync(home.project)).toEqual([]);
  });

  it("overwrites nothing", async () => {
    const home = newHome();
    home.write("servers.d/hello.kdl", "// mine\n");
    expect(await home.did("init", "--format", "kdl")).toContain(
      "kept  servers.d/hello.kdl (already there)\n",
    );
    const before = readdirSync(home.project, { recursive: true });
    for (const format of ["kdl", "typescript"]) {
      expect(await home.xy("init", "--format", format)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("already has one (xy.config.kdl)"),
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
