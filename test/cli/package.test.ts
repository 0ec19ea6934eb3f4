import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { linksOf, PAGES } from "../rig/pages.ts";
import { newHome, ROOT as root } from "./cli.ts";

/** What the package had in kB, packed and unpacked, when this was written; it may have a tenth more. */
const SIZE = { packed: 1_735, unpacked: 6_727 };
const MARGIN = 1.1;

/** The package as npm would publish it, in an empty folder beside nothing but its declared dependencies. */
describe("the packed package", () => {
  let folder: string;
  let packed: {
    readonly filename: string;
    readonly size: number;
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string }[];
  };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: folder, encoding: "utf8", env: { ...process.env, HOME: folder } });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "packed-"));
    const told = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
    });
    [packed] = JSON.parse(told);
    const modules = join(folder, "node_modules");
    mkdirSync(join(modules, "xyctl"), { recursive: true });
    run("tar", "-xzf", packed.filename, "-C", join(modules, "xyctl"), "--strip-components", "1");
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    for (const name of Object.keys(dependencies)) {
      cpSync(join(root, "node_modules", name), join(modules, name), { recursive: true });
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  });

  it("runs", () => {
    expect(run("node_modules/xyctl/bin/xy.js", "--version")).toMatch(/^xyctl\/\d+\.\d+\.\d+ /);
  });

  it("lists what was bundled, and brings in nothing that runs at its installation", () => {
    const at = (file: string) => JSON.parse(readFileSync(file, "utf8"));
    const { components } = at(join(folder, "node_modules/xyctl/dist/sbom.cdx.json"));
    const named = components.map(({ name }: { name: string }) => name);
    for (const name of ["zod", "kdljs", "yaml", "@oclif/core", "jiti"]) expect(named).toContain(name);
    const { packages } = at(join(root, "package-lock.json"));
    const scripted = Object.keys(packages).filter((path) => packages[path].hasInstallScript);
    const names = scripted.map((path) => path.replace(/^.*node_modules\//, ""));
    // What the tests use may have one: nothing of that is published.
    expect(names.filter((name) => named.includes(name) || !packages[`node_modules/${name}`]?.dev)).toEqual(
      [],
    );
    const { scripts } = at(join(folder, "node_modules/xyctl/package.json"));
    expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining([expect.stringMatching(/install/)]));
  });

  it("is as large as it was, or a tenth more", () => {
    const kB = { packed: Math.round(packed.size / 1000), unpacked: Math.round(packed.unpackedSize / 1000) };
    console.log(
      `the package has ${packed.files.length} files, ${kB.packed} kB packed, ${kB.unpacked} kB unpacked`,
    );
    for (const of of ["packed", "unpacked"] as const) expect(kB[of]).toBeLessThan(SIZE[of] * MARGIN);
  });

  it("has the pages without their pictures, the examples, and whatever its pages link to", () => {
    const files = new Set(packed.files.map(({ path }) => path));
    expect(PAGES.filter((page) => !files.has(page))).toEqual([]);
    expect([...files].filter((file) => /\.(svg|png)$/.test(file))).toEqual([]);
    for (const example of readdirSync(join(root, "servers.d")))
      expect(files).toContain(`servers.d/${example}`);
    const folders = new Set([...files].map((file) => dirname(file)));
    const dead = PAGES.flatMap((page) =>
      linksOf(page)
        .filter((link) => !/^([a-z]+:|#)/.test(link))
        .map((link) => join(dirname(page), link.split("#")[0] ?? ""))
        .filter((file) => !files.has(file) && !folders.has(file))
        .map((file) => `${page}: ${file}`),
    );
    expect(dead).toEqual([]);
  });

  it("says where it comes from", () => {
    const { repository, homepage, bugs } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const page = repository.url.replace(/^git\+|\.git$/g, "");
    expect({ homepage, bugs }).toEqual({ homepage: `${page}#readme`, bugs: `${page}/issues` });
  });

  it("has the units and scripts that it installs or prints", () => {
    const templates = readdirSync(join(folder, "node_modules/xyctl/templates")).sort();
    expect(templates).toEqual([
      "completion.bash",
      "completion.fish",
      "completion.zsh",
      "server.plist.hbs",
      "server.service.hbs",
      "supervisord.conf.hbs",
      "xy-agent.plist.hbs",
      "xy-agent.service.hbs",
    ]);
  });

  it("has every module that its commands import", () => {
    const commands = readdirSync(join(folder, "node_modules/xyctl/dist/commands"), {
      recursive: true,
      encoding: "utf8",
    });
    const files = commands.filter((file) => file.endsWith(".js"));
    const imports = files.map((file) => `await import("./node_modules/xyctl/dist/commands/${file}");`);
    expect(files).not.toEqual([]);
    run(process.execPath, "--input-type=module", "-e", imports.join("\n"));
  });

  it("gives a configuration its helper, with types", () => {
    const servers = '{ web: { command: "node", port: "none" } }';
    const config = `import { defineConfig } from "xyctl";\nexport default defineConfig({ servers: ${servers} });\n`;
    writeFileSync(join(folder, "xy.config.ts"), config);
    const strict = ["--noEmit", "--strict", "--module", "nodenext", "--skipLibCheck"];
    run(join(root, "node_modules/.bin/tsc"), ...strict, "xy.config.ts");
    const said = run(
      process.execPath,
      "--input-type=module",
      "-e",
      'console.log(Object.keys(await import("xyctl")))',
    );
    expect(said).toContain("defineConfig");
  });

  it("gives a script its client, with types that need no other package", async () => {
    const page = readFileSync(join(root, "docs/wire.md"), "utf8");
    const example = /```ts\n(.*?)```/s.exec(page.slice(page.indexOf("## From a script")))?.[1];
    writeFileSync(join(folder, "script.ts"), `${example}`);
    run(join(root, "node_modules/.bin/tsc"), "--strict", "--module", "nodenext", "script.ts");

    const home = newHome();
    home.declare("web");
    const launcher = join(folder, "node_modules/xyctl/bin/xy.js");
    const applied = await home.start({}, process.execPath, launcher, "apply", "--yes").ended;
    expect(applied).toMatchObject({ code: 0 });
    const script = await home.start({}, process.execPath, join(folder, "script.js")).ended;
    expect(script).toEqual({
      code: 0,
      stdout: "web is running\nstdout: up\ncannot find server nobody: it was never applied\n",
      stderr: "",
    });
    const { socket } = (await home.json("agent", "status")) as { socket: string };
    const byHand = /```js\n(.*?)```/s.exec(page.slice(page.indexOf("## By hand")))?.[1];
    const asked = home.write("ask.mjs", `${byHand}`);
    const { stdout } = await home.start({}, process.execPath, asked, socket).ended;
    expect(JSON.parse(stdout)).toMatchObject({ id: 1, result: { version: expect.any(String) } });
    await home.did("agent", "stop");
    const without = await home.start({}, process.execPath, join(folder, "script.js")).ended;
    expect(without.code).toBe(1);
    expect(without.stderr).toContain(`no agent runs for ${home.state}; \`xy agent start\` starts it`);
  });
});
