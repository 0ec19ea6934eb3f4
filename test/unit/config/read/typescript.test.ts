import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { load } from "../../../../src/config/load.ts";
import { declaredBy, folderWith, formatted, machine, problemsOf, requestFor } from "../rig.ts";

const inputsOf = async (text: string, changes = {}, name = "xy.config.ts") =>
  (await declaredBy({ [name]: text }, changes)).servers.map(({ name, input }) => ({ name, ...input }));

describe("a TypeScript configuration", () => {
  it("imports defineConfig and secret from the running xy, with no node_modules", async () => {
    const text = `
      import { defineConfig, secret, type Config } from "xyctl";
      enum Ports { web = 8421 }
      const config: Config = { servers: { web: { command: "x", port: Ports.web, env: { T: secret.file("~/.t") } } } };
      export default defineConfig(config);`;
    expect(await inputsOf(text)).toMatchObject([
      { name: "web", port: 8421, env: { T: { secret: { file: "~/.t" } } } },
    ]);
  });

  it.each(["xy.config.ts", "xy.config.mts", "xy.config.js", "xy.config.mjs"])(
    "may be named %s",
    async (name) => {
      const text =
        'import { defineConfig } from "xyctl";\nexport default defineConfig({ servers: { a: { command: "x", port: 1 } } });';
      expect(await inputsOf(text, {}, name)).toMatchObject([{ name: "a" }]);
    },
  );

  it("may be a function of the machine, which may wait", async () => {
    const text = `export default async ({ os, arch, host, user, home, env }) => {
      await new Promise((done) => setTimeout(done, 1));
      return { servers: { a: { command: "x", port: "none", args: [os, arch, host, user, home, env.TOKEN, process.env.TOKEN, String(process.env.HOME)] } } };
    }`;
    const [server] = await inputsOf(text, { env: { TOKEN: "t" } });
    const { os, arch, host, user, home } = machine;
    expect(server?.args).toEqual([os, arch, host, user, home, "t", "t", "undefined"]);
  });

  it("takes undefined for absent where a setting is left open", async () => {
    const text =
      'export default { project: undefined, servers: { a: { command: "x", port: 1, portFlag: undefined, restart: { policy: undefined }, env: undefined } } };';
    expect(await inputsOf(text)).toMatchObject([{ env: {} }]);
  });

  it("does not lose a name that stands for undefined", async () => {
    const text = `export default {
      defaults: { env: { D: undefined } },
      servers: {
        a: { command: "x", port: 1, env: { TOKEN: process.env.XY_NOT_SET, B: "b" }, actions: { go: undefined } },
        b: undefined,
      },
      actions: { tidy: undefined },
    };`;
    const said = (path: string) =>
      `xy.config.ts: ${path}: cannot use undefined for ${path}: give it a value, or leave the key out`;
    expect((await problemsOf({ "xy.config.ts": text })).toSorted()).toEqual(
      ["actions.tidy", "defaults.env.D", "servers.a.actions.go", "servers.a.env.TOKEN", "servers.b"].map(
        said,
      ),
    );
  });

  describe("of CommonJS", () => {
    const body = '{ servers: { a: { command: "x", port: 1 } } }';
    const required = 'const { defineConfig } = require("xyctl");\n';
    it.each([
      ["xy.config.cjs", `${required}module.exports = defineConfig(${body});`],
      ["xy.config.cjs", `module.exports = ${body};`],
      ["xy.config.cjs", `exports.__esModule = true;\nexports.default = ${body};`],
      ["xy.config.js", `${required}module.exports = defineConfig(({ os }) => (${body}));`],
      [
        "xy.config.cts",
        `import { defineConfig } from "xyctl";\nconst c: object = ${body};\nexport = defineConfig(c);`,
      ],
      ["xy.config.cts", `import xy = require("xyctl");\nexport = xy.defineConfig(() => (${body}));`],
      ["xy.config.ts", `import { defineConfig } from "xyctl";\nexport = defineConfig(${body});`],
    ])("works: %s %s", async (name, text) => {
      expect(await inputsOf(text, {}, name)).toMatchObject([{ name: "a", port: 1 }]);
    });

    it.each([
      ["xy.config.cjs", "", "module.exports = defineConfig({ … })"],
      ["xy.config.js", "", "export default defineConfig({ … })"],
    ])("that exports nothing says so: %s", async (name, text, wayOut) => {
      const message = `${name}: cannot find a configuration in this file: write ${wayOut}`;
      expect(await problemsOf({ [name]: text })).toEqual([message]);
    });

    it("may be imported by a module", async () => {
      const files = {
        "xy.config.mts":
          'import base, { port } from "./base.cjs";\nexport default { servers: { a: { ...base.server, port } } };',
        "base.cjs": 'module.exports = { server: { command: "x" }, port: 8421 };',
      };
      expect((await declaredBy(files)).servers[0]?.input).toMatchObject({ command: "x", port: 8421 });
    });
  });

  describe("that is a link", () => {
    const files = {
      "dotfiles/xy.config.ts":
        'import { command } from "./lib/command.ts";\nimport { port } from "@lib/port";\nimport { tag } from "#tag";\nexport default { servers: { a: { command, port, tags: [tag], workingDir: "." } } };',
      "dotfiles/lib/command.ts": 'export const command = "x";',
      "dotfiles/lib/port.ts": "export const port = 8421;",
      "dotfiles/tag.js": 'export const tag = "t";',
      "dotfiles/package.json": '{"imports": {"#tag": "./tag.js"}}',
      "dotfiles/tsconfig.json":
        '{ // as TypeScript reads it\n"compilerOptions": {"paths": {"@lib/*": ["./lib/*"]}}}',
      "root/servers.d/x.yaml": "",
      "root/lib/command.ts": "throw new Error('not this one')",
    };

    it("imports what is beside its target, through the tsconfig.json there too", async () => {
      const folder = folderWith({ ...files, "root/servers.d/x.yaml": "command: y\nport: 1\n" });
      symlinkSync("../dotfiles/xy.config.ts", join(folder, "root/xy.config.ts"));
      for (const cwd of ["root", "dotfiles"]) {
        const result = await load(requestFor(join(folder, cwd)));
        expect(result.ok ? "" : formatted(result.problems, folder)).toBe("");
        const servers = result.ok ? result.value.servers : [];
        const input = { command: "x", port: 8421, tags: ["t"] };
        expect(servers.find(({ name }) => name === "a")).toMatchObject({ input });
      }
    });

    it("and names the line of an error in it", async () => {
      const folder = folderWith({ "dotfiles/a.ts": "export default {};\n\n  null.x;\n", "root/x": "" });
      symlinkSync("../dotfiles/a.ts", join(folder, "root/xy.config.ts"));
      const result = await load(requestFor(join(folder, "root")));
      expect(result.ok ? [] : formatted(result.problems, folder)).toEqual([
        expect.stringMatching(/^root\/xy\.config\.ts:3:\d+: cannot evaluate this file: TypeError: /),
      ]);
    });
  });

  it("prints where it is told to", async () => {
    const printed: string[] = [];
    const text =
      'console.log("out"); console.error("err"); process.stdout.write("raw\\n"); export default {};';
    await declaredBy({ "xy.config.ts": text }, { print: (text: string) => printed.push(text) });
    expect(printed.join("").split("\n").toSorted()).toEqual(["", "err", "out", "raw"]);
  });

  it.each([
    ["a loop", "while (true);\nexport default {};"],
    ["an import that loops", 'import "./lib/loop.ts";\nexport default {};'],
    ["a promise with a timer", "setInterval(() => {}, 1000);\nexport default new Promise(() => {});"],
  ])("that hangs is ended from outside: %s", async (_, text) => {
    const files = { "xy.config.ts": text, "lib/loop.ts": "for (;;);" };
    expect(await problemsOf(files, { signal: AbortSignal.timeout(400) })).toEqual([
      "xy.config.ts: cannot evaluate this file: it did not finish in time; look for an import, a loop or a promise that never ends",
    ]);
  });

  it("is not started when it is too late already", async () => {
    expect(
      await problemsOf({ "xy.config.ts": "export default {};" }, { signal: AbortSignal.abort() }),
    ).toHaveLength(1);
  });

  it("that takes all memory ends alone", async () => {
    const text = "const all = []; for (;;) all.push(new Array(100000).fill(all.length)); export default {};";
    expect(await problemsOf({ "xy.config.ts": text })).toEqual([
      expect.stringMatching(/cannot evaluate this file: .*memory/),
    ]);
  });

  it("leaves nothing running", async () => {
    const text = "setInterval(() => {}, 1000); export default {};";
    await declaredBy({ "xy.config.ts": text });
  });
});

describe("what a program was translated to", () => {
  const FILE = "xy.config.ts";
  const declares = (port: number) =>
    `const port: number = ${port};\nexport default { servers: { a: { command: "x", port } } };`;

  async function loaded(folder: string, kept: string) {
    const result = await load(requestFor(folder, { translations: () => kept }));
    if (!result.ok) return formatted(result.problems, folder);
    return result.value.servers.map(({ input }) => input.port);
  }

  it("is kept, and used as long as the text is the same", async () => {
    const [folder, kept] = [folderWith({ [FILE]: declares(1) }), folderWith()];
    expect(await loaded(folder, kept)).toEqual([1]);
    const [file = ""] = readdirSync(kept);
    const text = readFileSync(join(kept, file), "utf8");
    expect(text).toContain("port = 1");
    // What stands there is what is run: nobody else may write there.
    writeFileSync(join(kept, file), text.replace("port = 1", "port = 7"));
    expect(await loaded(folder, kept)).toEqual([7]);
    writeFileSync(join(folder, FILE), declares(2));
    expect(await loaded(folder, kept)).toEqual([2]);
  });

  it("is made again when it is torn", async () => {
    const [folder, kept] = [folderWith({ [FILE]: declares(3) }), folderWith()];
    await loaded(folder, kept);
    const [file = ""] = readdirSync(kept);
    writeFileSync(join(kept, file), readFileSync(join(kept, file), "utf8").slice(0, 20));
    expect(await loaded(folder, kept)).toEqual([3]);
  });

  it("tells the same place of an error", async () => {
    const text = `interface Gone { a: string }\n\nconst f = (): never => { throw new Error("broken"); };\nf();\nexport default {};`;
    const [folder, kept] = [folderWith({ [FILE]: text }), folderWith()];
    const first = await loaded(folder, kept);
    expect(first.join("")).toContain("broken");
    expect(await loaded(folder, kept)).toEqual(first);
  });
});
