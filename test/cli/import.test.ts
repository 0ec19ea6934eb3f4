import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { SECRET_WORD } from "../rig/secret-scan.ts";
import { homesInTurn } from "./cli.ts";

const newHome = homesInTurn();
const MODULES = join(import.meta.dirname, "../../node_modules/@modelcontextprotocol");
const json = (value: unknown) => JSON.stringify(value, null, 2);

it("from a client's list of five servers to three that run, and to another client, in two commands", async () => {
  const home = newHome();
  const real = (path: string, ...args: string[]) => ({
    command: process.execPath,
    args: [join(MODULES, path), ...args],
  });
  const missing = { command: "uvx", args: ["no-such-server"], disabled: true };
  const source = join(home.path, "claude_desktop_config.json");
  home.write(
    source,
    json({
      mcpServers: {
        memory: {
          ...real("server-memory/dist/index.js"),
          env: { MEMORY_FILE_PATH: join(home.path, "memory.jsonl") },
        },
        Everything: real("server-everything/dist/index.js", "stdio"),
        files: real("server-filesystem/dist/index.js", home.path),
        one: missing,
        two: missing,
      },
    }),
  );
  home.write("xy.config.kdl", 'project "from-elsewhere"\nclients { cursor; }\n');
  const before = readFileSync(source, "utf8");
  const said = await home.did("import", source);
  expect(said).toContain("+ everything");
  await home.did("apply", "--yes", "--trust");

  const list = (await home.json("list")) as { name: string; ready: boolean; state: string; url?: string }[];
  const running = list.filter(({ state }) => state === "running");
  expect(running.map(({ name, ready }) => [name, ready])).toEqual([
    ["everything", true],
    ["files", true],
    ["memory", true],
  ]);
  const { mcpServers } = JSON.parse(readFileSync(join(home.path, ".cursor/mcp.json"), "utf8"));
  for (const { name, url } of running) expect(mcpServers[name]).toMatchObject({ url });
  expect(readFileSync(source, "utf8")).toBe(before);
  expect(await home.did("plan")).toContain("No changes");
  await home.did("destroy", "--yes");
});

it("secrets go where nobody else reads them, and nothing that is there is written over", async () => {
  const home = newHome();
  const token = `${SECRET_WORD} "q" $x\nline`;
  const entry = { command: "sh", args: ["-c", "exit"], env: { API_TOKEN: token, LOG_LEVEL: "info" } };
  home.write("xy.config.kdl", 'project "tools"\n');
  home.write("mcp.json", json({ mcpServers: { a: entry } }));
  expect(await home.did("import", "mcp.json", "--dry-run")).toContain("Nothing was written.");
  expect(existsSync(home.pathOf("servers.d"))).toBe(false);

  await home.did("import", "mcp.json");
  const secrets = join(home.path, ".local/share/xy/secrets/tools/a.env");
  home.allow(secrets);
  home.allow(home.pathOf("mcp.json"));
  expect(statSync(secrets).mode & 0o777).toBe(0o600);
  const text = readFileSync(home.pathOf("servers.d/a.kdl"), "utf8");
  expect(text).toContain('LOG_LEVEL "info"');
  expect(text).toContain('env-file "~/.local/share/xy/secrets/tools/a.env"');

  // The same again is the same; what differs is left alone, and said.
  expect(await home.did("import", "mcp.json")).toContain("has it already");
  home.write("mcp.json", json({ mcpServers: { a: { ...entry, args: ["-c", "other"] } } }));
  const { code, stdout } = await home.xy("import", "mcp.json");
  expect(code).toBe(1);
  expect(stdout).toContain("servers.d/a.kdl is there already");
  expect(readFileSync(home.pathOf("servers.d/a.kdl"), "utf8")).toBe(text);
  rmSync(secrets);
});

it("what cannot be read is told with its place, and nothing is written", async () => {
  const home = newHome();
  home.write("xy.config.kdl", 'project "tools"\n');
  const write = (name: string, data: string | Buffer) => writeFileSync(home.pathOf(name), data);
  write("none.json", "{}");
  write("torn.json", '{\n  "mcpServers": {\n');
  write("empty.json", "");
  write("not.conf", "[program:web\n");
  write("page.yaml", "<html>\n<body>\n");
  write("latin.json", Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x7d]));
  write("wide.json", Buffer.from("\ufeff{}", "utf16le"));
  write("big.json", Buffer.alloc(11 << 20, 0x20));
  write("binary.plist", Buffer.from("bplist00\u0000\u0000"));
  write("throws.cjs", 'throw new TypeError("no \\u001b[31m");');
  write("asks.cjs", 'require("no-such-module");');
  write("nothing.cjs", "");
  write("twice.json", '{ "mcpServers": {\n "a": { "command": "sh" },\n "a": { "command": "cat" } } }');
  write("twice.yaml", "mcpServers:\n  a: { command: sh }\n  a: { command: cat }\n");
  write("twice.conf", "[program:web]\ncommand=sh\n[program:web]\ncommand=cat\n");
  write(
    "twice.plist",
    '<plist version="1.0"><dict>\n<key>Label</key><string>a</string>\n<key>Label</key><string>b</string></dict></plist>',
  );
  write("Procfile", "web: sh\nweb: cat\n");
  write("deep.json", `{ "mcpServers": { "a": ${"[".repeat(20_000)}${"]".repeat(20_000)} } }`);
  mkdirSync(home.pathOf("folder.json"));
  symlinkSync("nowhere", home.pathOf("link.json"));
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await home.xy("import", ...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("xy: nothing was written");
    return stderr.split("\n")[0];
  };
  const reason = /cannot import this file: (.*)/;
  for (const [file, why] of [
    ["none.json", "it is of no tool that xy knows; xy reads the files of"],
    ["torn.json", "it is not JSON: close brace expected"],
    ["empty.json", "it is of no tool"],
    ["not.conf", "it is"],
    ["page.yaml", "it is"],
    ["latin.json", "it is not UTF-8"],
    ["wide.json", "it is UTF-16; save it as UTF-8"],
    ["big.json", "it has more than "],
    ["binary.plist", "property list"],
    ["throws.cjs", "it failed: TypeError: no \\u{1b}[31m"],
    ["asks.cjs", "it failed: Error: Cannot find module 'no-such-module'"],
    ["nothing.cjs", "it is of no tool"],
    ["twice.json", 'it has "a" twice, in line 2 too; remove one of them'],
    ["twice.yaml", 'it has "a" twice, in line 2 too'],
    ["twice.conf", 'it has "command" twice, in line 2 too'],
    ["twice.plist", 'it has "Label" twice, in line 2 too'],
    ["Procfile", 'it has "web" twice, in line 1 too'],
    ["deep.json", "it is nested too deeply"],
    ["folder.json", "it is a folder"],
    ["link.json", "it does not exist, or is a broken link"],
    ["missing.json", "it does not exist"],
  ] as const)
    expect(reason.exec((await said(file, "--trust")) ?? "")?.[1], file).toContain(why);
  expect(await said("throws.cjs")).toContain("it is a program, and was not run");
  // One bad file, and none is written.
  write("good.json", json({ mcpServers: { a: { command: "sh" } } }));
  expect(await said("good.json", "torn.json")).toContain("torn.json:3:1: ");
  expect(readdirSync(home.project)).not.toContain("servers.d");
});

it("names are made to fit, the same server counts once, and order and variables are kept", async () => {
  const home = newHome();
  home.write("xy.config.kdl", 'project "tools"\n');
  home.write("Procfile", "web: node x.js -p $PORT\n");
  home.write("more/Procfile", "Web: ./b\n");
  home.write(
    "pc.yaml",
    "processes:\n  A_b: {command: x, depends_on: {c: {condition: process_healthy}}}\n  c: {command: y}\n",
  );
  const report = (await home.json("import", "Procfile", "more/Procfile", "pc.yaml", "./Procfile")) as {
    sources: { servers: { name: string; file: string }[] }[];
  };
  expect(report.sources.map(({ servers }) => servers.map(({ name }) => name))).toEqual([
    ["web"],
    ["web-2"],
    ["a_b", "c"],
    ["web"],
  ]);
  expect(readFileSync(home.pathOf("servers.d/web.kdl"), "utf8")).toContain('args "-c" "node x.js -p $PORT"');
  expect(readFileSync(home.pathOf("servers.d/web-2.kdl"), "utf8")).toContain('// Its name was "Web".');
  expect(readFileSync(home.pathOf("servers.d/a_b.kdl"), "utf8")).toContain(
    'depends-on "c" condition="ready"',
  );
  const { stdout } = await home.xy("check");
  expect(stdout).toContain("4 servers");
});

it("they go into the root's own file where that is wanted, and nothing else of it changes", async () => {
  const home = newHome();
  home.write("Procfile", "web: sleep 1000000\n");
  const said = await home.xy("import", "Procfile", "--root", "--config", ".");
  expect([said.code, said.stderr]).toEqual([1, expect.stringContaining("there is no xy.config.* in it")]);
  const before = 'project "tools"\nserver "db" {\n  command "sh"\n  port "none"\n}\n';
  home.write("xy.config.kdl", before);
  expect(await home.did("import", "Procfile", "--root")).toContain("wrote xy.config.kdl");
  const after = readFileSync(home.pathOf("xy.config.kdl"), "utf8");
  expect(after.startsWith(before)).toBe(true);
  expect(after).toContain('server "web" {\n  command "sleep"');
  expect((await home.xy("import", "Procfile", "--root")).stdout).toContain(
    "xy.config.kdl declares a server of this name already",
  );
  expect(readFileSync(home.pathOf("xy.config.kdl"), "utf8")).toBe(after);
  expect(await home.did("check")).toContain("2 servers");
});

it("in an empty home it begins the account's own configuration, which needs no question then", async () => {
  const home = newHome();
  home.write(
    "web.service",
    "[Service]\nExecStart=/bin/sh -c 'exec sleep 1000000'\n\n[Install]\nWantedBy=default.target\n",
  );
  const said = await home.did("import", "web.service", "--format", "yaml");
  expect(said).toContain("wrote ~/.config/xy/servers.d/web.yaml");
  expect(said).toContain(
    "If it runs, stop it there before you apply: systemctl --user disable --now web.service",
  );
  expect(await home.did("apply", "--yes")).toContain("1 added");
  await home.did("destroy", "--yes");
});

it("what makes the configuration invalid is said at once, and names that it has are left to it", async () => {
  const home = newHome();
  home.write("xy.config.kdl", 'project "tools"\nserver "mine" { command "sh"; port "none"; }\n');
  home.write("mcp.json", json({ mcpServers: { mine: { command: "cat" }, other: { command: "cat" } } }));
  const taken = await home.xy("import", "mcp.json");
  expect(taken.code).toBe(1);
  expect(taken.stdout).toContain("not written: xy.config.kdl declares a server of this name already");
  await home.did("check");

  home.write(
    "pc.yaml",
    "processes:\n  a: {command: x, depends_on: {b: {}}}\n  b: {command: y, depends_on: [a]}\n",
  );
  home.write(
    "odd.json",
    json({
      mcpServers: {
        odd: { command: "sh", args: ["a\u0000"] },
        e: { command: "" },
        line: { command: "npx -y x" },
      },
    }),
  );
  const { code, stdout } = await home.xy("import", "pc.yaml", "odd.json");
  expect(code).toBe(1);
  expect(stdout).toContain("  - e (line 9): its command is empty");
  expect(stdout).toContain("The configuration is not valid as it is now:\n");
  expect(stdout).toContain("servers.d/odd.kdl:2:6: cannot use a NUL character");
  expect(stdout).toContain('servers.d/line.kdl:1:9: cannot run "npx -y x": it must be one program');
  expect(stdout).toContain("Next: correct that");
  const { problems } = (await home
    .xy("import", "odd.json", "--json")
    .then((said) => JSON.parse(said.stdout))) as {
    problems: unknown[];
  };
  expect(problems.length).toBeGreaterThan(0);
});

it("of a configuration that is a program nothing runs, and that is said", async () => {
  const home = newHome();
  home.write(
    "xy.config.mjs",
    'import { writeFileSync } from "node:fs";\nwriteFileSync("ran", "");\nexport default {};\n',
  );
  home.write("mcp.json", json({ mcpServers: { mine: { command: "cat" } } }));
  expect(await home.did("import", "mcp.json")).toContain("xy.config.mjs is a program and was not run");
  expect(readdirSync(home.project).sort()).toEqual(["mcp.json", "servers.d", "xy.config.mjs"]);
});

it("credentials in a command are not shown, and values of another project stay what they are", async () => {
  const home = newHome();
  const words = ["run", "-e", `MY_TOKEN=${SECRET_WORD}`, "--header", `X-Session-Token: ${SECRET_WORD}`];
  const servers = (value: string) => ({
    mcpServers: {
      a: { command: "docker", args: words, env: { MY: value } },
      b: { command: `API_KEY=${SECRET_WORD} sh` },
    },
  });
  for (const [i, project] of ["one/app", "two/app"].entries()) {
    home.write(`${project}/xy.config.kdl`, `project "app-${i}"\n`);
    home.write(`${project}/mcp.json`, json(servers(`${SECRET_WORD}${i}`)));
    for (const file of ["mcp.json", "servers.d/a.kdl", "servers.d/b.kdl"])
      home.allow(home.pathOf(`${project}/${file}`));
    const { code, stdout: shown } = await home.xy("import", `${project}/mcp.json`, "--config", project);
    // The command of b is none, and that is said without what is in it.
    expect(code).toBe(1);
    expect(shown).toContain("docker run -e (hidden) --header (hidden)");
    expect(shown).toContain("+ b (hidden)");
    expect(readFileSync(home.pathOf(`${project}/servers.d/a.kdl`), "utf8")).toContain('wanted "stop"');
  }
  const secrets = join(home.path, ".local/share/xy/secrets/app");
  for (const [file, i] of [
    ["a.env", 0],
    ["a-2.env", 1],
  ] as const) {
    home.allow(join(secrets, file));
    expect(readFileSync(join(secrets, file), "utf8")).toBe(`MY="${SECRET_WORD}${i}"\n`);
  }
  expect(readFileSync(home.pathOf("two/app/servers.d/a.kdl"), "utf8")).toContain("secrets/app/a-2.env");
  rmSync(secrets, { recursive: true });
});
