import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import * as prettier from "prettier";
import { describe, expect, it } from "vitest";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

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

describe("the types and schemas for editors", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const OLD = "from an earlier xy: `xy init --refresh` renews";
  const textOf = (home: Home, name: string) => readFileSync(join(home.project, name), "utf8");
  /** As an earlier version would have written it. */
  function outdate(home: Home, name: string): void {
    const text = textOf(home, name).replace(/(process|start)-?[tT]imeout/g, "other");
    const body = text.replace(/Written by xy .*\n/, "").replace(/^\/\/ |^ {2}"\$comment": "/m, "");
    const digest = createHash("sha256").update(body).digest("hex").slice(0, 16);
    home.write(name, text.replace(/xy \S+ \((\w+(?: \w+)?), \w+\)/, `xy 0.0.9 ($1, ${digest})`));
  }

  it("say which xy wrote them, and are renewed after an upgrade", async () => {
    const home = newHome();
    await home.did("init");
    home.trusts();
    expect(textOf(home, "xyctl.d.ts")).toMatch(`// Written by xy ${version} (types, `);
    const fresh = ["xyctl.d.ts", "xy.server.schema.json"].map((name) => textOf(home, name));
    expect(await home.xy("plan")).toMatchObject({ code: 0, stderr: "" });
    for (const name of ["xyctl.d.ts", "xy.server.schema.json"]) outdate(home, name);
    for (const command of ["plan", "check"])
      expect(await home.xy(command)).toMatchObject({
        code: 0,
        stderr: `xyctl.d.ts and xy.server.schema.json, for your editor, are ${OLD} them\n`,
      });
    expect(await home.xy("plan", "--json")).toMatchObject({ code: 0, stderr: "" });
    // From a folder below, it is still the same root.
    mkdirSync(home.pathOf("below"));
    expect((await home.xyIn({ cwd: home.pathOf("below") }, "init", "--refresh")).stdout).toBe(
      `renewed ~/tools/xyctl.d.ts (was from xy 0.0.9, is from xy ${version})\n` +
        `renewed ~/tools/xy.server.schema.json (was from xy 0.0.9, is from xy ${version})\n`,
    );
    expect(["xyctl.d.ts", "xy.server.schema.json"].map((name) => textOf(home, name))).toEqual(fresh);
    expect(await home.did("init", "--refresh")).toBe("current xyctl.d.ts\ncurrent xy.server.schema.json\n");
    expect(await home.xy("plan")).toMatchObject({ code: 0, stderr: "" });
  });

  it("stay as they are where somebody edited them, or xy did not write them", async () => {
    const home = newHome();
    await home.did("init", "--format", "yaml");
    const edited = textOf(home, "xy.schema.json").replace("project", "projekt");
    home.write("xy.schema.json", edited);
    home.write("xy.server.schema.json", '{ "type": "object" }\n');
    expect(await home.did("init", "--refresh")).toBe(
      `kept    xy.schema.json: it was edited after xy ${version} wrote it; --force renews it all the same\n` +
        "kept    xy.server.schema.json: xy did not write it\n",
    );
    expect(textOf(home, "xy.schema.json")).toBe(edited);
    expect(await home.did("init", "--refresh", "--force")).toMatch(/^renewed xy\.schema\.json .*\nkept/);
    expect(textOf(home, "xy.server.schema.json")).toBe('{ "type": "object" }\n');
  });

  it("of a version that did not mark them are renewed, where a link leads to them too", async () => {
    const home = newHome();
    await home.did("init", "--format", "json");
    const old = textOf(home, "xy.schema.json").replace(/.*\$comment.*\n/, "");
    home.write("stowed/xy.schema.json", old);
    rmSync(home.pathOf("xy.schema.json"));
    symlinkSync("stowed/xy.schema.json", home.pathOf("xy.schema.json"));
    expect((await home.xy("plan")).stderr).toBe(`xy.schema.json, for your editor, is ${OLD} it\n`);
    expect(await home.did("init", "--refresh")).toMatch(/^renewed xy\.schema\.json \(was from an earlier xy/);
    expect(lstatSync(home.pathOf("xy.schema.json")).isSymbolicLink()).toBe(true);
    expect(textOf(home, "stowed/xy.schema.json")).toContain(`xy ${version} (root json, `);
  });

  it("cannot be renewed where there is no configuration, or together with a start", async () => {
    const home = newHome();
    expect(await home.xy("init", "--refresh")).toMatchObject({ code: 3 });
    expect(await home.xy("init", "--refresh", "--format", "kdl")).toMatchObject({ code: 64 });
    await home.did("init", "--format", "kdl");
    expect(await home.did("init", "--refresh")).toMatch(/^There is nothing to renew/);
  });
});
