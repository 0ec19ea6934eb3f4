import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { load } from "../../../src/config/load.ts";
import { fitName } from "../../../src/model/name.ts";
import { declaredBy, folderWith, machine, problemsOf, requestFor, resolvedFrom } from "./rig.ts";

describe("defaults", () => {
  it("are merged into every server, blocks and env key by key, lists replaced", async () => {
    const root = `
      defaults {
        port "auto"
        tags "a" "b"
        env { A "1"; B "2"; C (env)"X" }
        restart { policy "always"; backoff-max "1m" }
        readiness "tcp" port=5 interval="1s"
      }
      server "web" { command "x"; tags "c"; env { B "3"; C (file)"/c" }; restart { backoff-max "2m" }; readiness "tcp" timeout="1s" }`;
    const { servers } = await declaredBy({
      "xy.config.kdl": root,
      "servers.d/db.yaml": "command: y\nreadiness: {type: log, pattern: up}\n",
    });
    expect(servers.map(({ input }) => input)).toMatchObject([
      {
        command: "y",
        port: "auto",
        tags: ["a", "b"],
        env: { A: "1", B: "2", C: { secret: { env: "X" } } },
        readiness: { type: "log", pattern: "up" },
      },
      {
        tags: ["c"],
        env: { A: "1", B: "3", C: { secret: { file: "/c" } } },
        restart: { policy: "always", backoffMax: "2m" },
        readiness: { type: "tcp", port: 5, interval: "1s", timeout: "1s" },
      },
    ]);
    expect(servers[0]?.input.readiness).not.toHaveProperty("port");
  });

  it("are at their own place, and their paths start there", async () => {
    const root = "defaults:\n  working-dir: data\n  env-file: .env\n";
    const { servers, root: folder } = await declaredBy({
      "xy.config.yaml": root,
      "servers.d/a.kdl": 'command "./a"; port 1',
    });
    const [server] = servers;
    expect(server?.folder(["workingDir"])).toBe(folder);
    expect(server?.folder(["command"])).toBe(join(folder, "servers.d"));
    expect(server?.place(["workingDir"])).toEqual({
      file: join(folder, "xy.config.yaml"),
      line: 2,
      column: 16,
    });
    expect(server?.place(["host"])).toEqual({ file: join(folder, "servers.d/a.kdl"), line: 1, column: 1 });
  });
});

describe("when", () => {
  const server = (when: string) => `command "x"; port "none"\nwhen { ${when}; }\n`;
  it.each([
    ['os "linux"', true],
    ['os "macos"', false],
    ['os "macos" "linux"', true],
    ['os "linux"; host "box"; user "ann"; arch "x64"', true],
    ['os "linux"; host "other"', false],
  ])("%s matches: %s", async (when, matches) => {
    const declared = await declaredBy({ "servers.d/a.kdl": server(when) });
    expect(declared.servers.map(({ name }) => name)).toEqual(matches ? ["a"] : []);
    expect(declared.elsewhere).toEqual(matches ? [] : ["a"]);
  });

  it("on the root holds for all of it", async () => {
    const files = {
      "xy.config.kdl": 'when { os "macos"; }\nserver "b" { command "x"; port 1; }',
      "servers.d/a.kdl": 'command "x"; port 1',
    };
    expect((await declaredBy(files)).elsewhere).toEqual(["a", "b"]);
    expect(
      await declaredBy(files, { machine: { ...machine, os: "macos" } }).catch((e: Error) => e.message),
    ).toMatch(/cannot give port 1 to b/);
  });

  it("leaves out a server's ports and dependencies, not the mistakes in it", async () => {
    const mac = 'when { os "macos"; }\n';
    expect(
      await problemsOf({
        "servers.d/a.kdl": `command "x"; port 1; depends-on "zzz"\n${mac}`,
        "servers.d/b.kdl": 'command "x"; port 1',
        "servers.d/c.kdl": `command 5; port 1\n${mac}`,
      }),
    ).toEqual(["servers.d/c.kdl:1:9: cannot use 5 for command: write the program to run"]);
  });
});

describe("the project", () => {
  it.each([
    ["web", "web"],
    ["My Dotfiles", "my-dotfiles"],
    [".config", "config"],
    ["Ünï_côde", "uni_code"],
    ["日本", "default"],
    ["--x--", "x"],
    ["a".repeat(80), "a".repeat(63)],
  ])("of the folder %j is named %s", (folder, name) => expect(fitName(folder)).toBe(name));

  it("is named by its key, by its folder, or default for the user's own root", async () => {
    expect((await declaredBy({ "xy.config.kdl": "project shop" })).project).toBe("shop");
    const declared = await declaredBy({ "xy.config.kdl": "" });
    expect(declared.project).toBe(fitName(basename(declared.root)));
    const home = folderWith({ ".config/xy/xy.config.kdl": "" });
    const changes = { machine: { ...machine, home } };
    for (const cwd of [home, join(home, ".config/xy")]) {
      const result = await load(requestFor(cwd, changes));
      expect(result.ok && result.value.project).toBe("default");
    }
  });
});

describe("KDL", () => {
  it("is read by the schema", async () => {
    const text = `
      // a comment
      command web; args "--a" b \\
        "c"
      port 8421
      mcp
      env {
        "A" "1"; B (env)NAME
        C (file)"~/.secret"; D (command)"op read x"; E #"raw "quoted""#
      }
      env-file ".env"
      restart policy=always { success-exit-codes 0 0x10 }
      readiness log pattern="listening" { interval "1s" }
      liveness { type tcp; port 9 }
      depends-on db cache condition=started
      depends-on queue
      /- umask 5
      description """
        two
          lines
        """
      when { host box other }
    `;
    const none = 'command "x"; port "none"';
    const { servers } = await declaredBy({
      "servers.d/web.kdl": text,
      "servers.d/db.kdl": none,
      "servers.d/cache.kdl": none,
      "servers.d/queue.kdl": none,
    });
    expect(servers.find(({ name }) => name === "web")?.input).toMatchObject({
      command: "web",
      args: ["--a", "b", "c"],
      port: 8421,
      mcp: true,
      env: {
        A: "1",
        B: { secret: { env: "NAME" } },
        C: { secret: { file: "~/.secret" } },
        D: { secret: { command: "op read x" } },
        E: 'raw "quoted"',
      },
      envFile: ".env",
      restart: { policy: "always", successExitCodes: [0, 16] },
      readiness: { type: "log", pattern: "listening", interval: "1s" },
      liveness: { type: "tcp", port: 9 },
      dependsOn: [{ server: "db", condition: "started" }, { server: "cache", condition: "started" }, "queue"],
      umask: "022",
      description: "two\n  lines",
    });
  });

  it.each(["mcp", "mcp #true", 'mcp path="/mcp"', 'mcp { path "/mcp"; }', "mcp {\n}"])(
    "%s marks an MCP server",
    async (mcp) => {
      const { desired } = await resolvedFrom({ "servers.d/a.kdl": `command "sh"; port 1\n${mcp}\n` });
      expect(desired.servers[0]?.mcp).toEqual({ path: "/mcp" });
    },
  );
});

describe("YAML", () => {
  it("may use anchors and aliases", async () => {
    const text =
      "servers:\n  a: &web {command: x, port: none, env: &env {A: '1'}}\n  b: {command: y, port: none, env: *env}\n  c: *web\n";
    const { servers } = await declaredBy({ "xy.config.yaml": text });
    expect(servers.map(({ input }) => [input.command, input.env])).toEqual([
      ["x", { A: "1" }],
      ["y", { A: "1" }],
      ["x", { A: "1" }],
    ]);
  });
});

describe("a hostile file", () => {
  it.each([
    ["yaml", "[".repeat(100_000)],
    ["json", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["kdl", "a{".repeat(20_000)],
    ["kdl", "a {\n".repeat(20_000) + "}\n".repeat(20_000)],
    ["yaml", "a: &a [*a]"],
    ["kdl", "\u0000"],
  ])("of %s is refused with a message: %#", async (extension, text) => {
    const [problem] = await problemsOf({ [`servers.d/a.${extension}`]: text });
    expect(problem).toMatch(/^servers.d\/a\.\w+(:\d+:\d+)?: cannot /);
  });

  it("of templates does not grow without end", async () => {
    const env = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [
        `V${i}`,
        i === 0 ? "x".repeat(10) : `{env.V${i - 1}}`.repeat(10),
      ]),
    );
    const text = JSON.stringify({ command: "x", port: "none", env });
    expect(await problemsOf({ "servers.d/a.json": text })).toContainEqual(
      expect.stringContaining(
        "cannot fill in the templates: the text would be longer than 128 KiB; shorten it",
      ),
    );
  });
});

it("a thousand servers in one chain of dependencies are read", { timeout: 60_000 }, async () => {
  const files = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [
      `servers.d/s${i}.kdl`,
      `command "x"; port ${10_000 + i}; ${i > 0 ? `depends-on "s${i - 1}"` : ""}`,
    ]),
  );
  expect((await declaredBy(files)).servers).toHaveLength(1000);
});
