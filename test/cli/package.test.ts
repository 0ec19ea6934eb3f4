import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

/** The package as npm would publish it, in an empty folder beside nothing but its declared dependencies. */
describe("the packed package", () => {
  let folder: string;
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: folder, encoding: "utf8", env: { ...process.env, HOME: folder } });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "packed-"));
    const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
    });
    const [{ filename }] = JSON.parse(packed);
    const modules = join(folder, "node_modules");
    mkdirSync(join(modules, "xyctl"), { recursive: true });
    run("tar", "-xzf", filename, "-C", join(modules, "xyctl"), "--strip-components", "1");
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    for (const name of Object.keys(dependencies)) {
      cpSync(join(root, "node_modules", name), join(modules, name), { recursive: true });
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  });

  it("runs", () => {
    expect(run("node_modules/xyctl/bin/xy.js", "--version")).toMatch(/^xyctl\/\d+\.\d+\.\d+ /);
  });

  it("has the units that it installs", () => {
    const templates = readdirSync(join(folder, "node_modules/xyctl/templates")).sort();
    expect(templates).toEqual([
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
});
