import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ClientChanges, changeEntries } from "../../../src/clients/change.ts";
import { look } from "../../../src/clients/look.ts";
import { missingEntries, ownedEntries } from "../../../src/clients/owned.ts";
import {
  backupOf,
  fileRecords,
  readFileRecord,
  targetsOfProject,
  writeFileRecord,
} from "../../../src/clients/records.ts";
import type { ClientLook, ClientTarget, ClientWrite } from "../../../src/clients/types.ts";
import { formatDiagnostic } from "../../../src/model/diagnostic.ts";

/** Files of clients on a disk, and what is done to them for the project `tools`. */

const root = process.getuid?.() === 0;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

class Desk {
  readonly home = fs.mkdtempSync(join(tmpdir(), "xy-clients-"));
  readonly state = join(this.home, "state");
  constructor() {
    folders.push(this.home);
  }

  target(client: ClientTarget["client"], file: string): ClientTarget {
    return { client, scope: "user", file: join(this.home, file) };
  }

  /** Cursor's file, with this in it. */
  cursor(text?: string | Uint8Array): ClientTarget {
    const target = this.target("cursor", ".cursor/mcp.json");
    if (text !== undefined) write(target.file, text);
    return target;
  }

  async look(target: ClientTarget): Promise<ClientLook> {
    const seen = await look(target);
    if (!seen.ok) throw new Error(seen.problems[0]?.message);
    return seen.value;
  }

  async change(
    target: ClientTarget,
    changes: Partial<ClientChanges>,
    project = "tools",
  ): Promise<ClientWrite> {
    return changeEntries(this.state, await this.look(target), project, { set: [], remove: [], ...changes });
  }

  async problem(target: ClientTarget): Promise<string> {
    const seen = await look(target);
    if (seen.ok) throw new Error("there is no problem");
    return seen.problems.map((each) => formatDiagnostic(each)).join("\n");
  }
}

function write(file: string, text: string | Uint8Array): void {
  fs.mkdirSync(dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  // As if it were written long ago: a file that just changed is looked at again.
  fs.utimesSync(file, 1, 1);
}

const read = ({ file }: ClientTarget) => fs.readFileSync(file, "utf8");
const url = (port: number) => ({ url: `http://127.0.0.1:${port}/mcp` });
const entry = (name: string, port: number) => ({ name, server: name, value: url(port) });
const WRITTEN = { is: "written" };

const THEIRS = `{
  // mine
  "mcpServers": {
    "github": { "url": "https://example.com/mcp", } // keep
  },
  "theme": "dark"
}
`;

describe("a client's file", () => {
  it("gets entries, loses them, and is as it was before", async () => {
    const desk = new Desk();
    const target = desk.cursor(THEIRS);
    expect(await desk.change(target, { set: [entry("notes", 8421), entry("time", 8422)] })).toEqual(WRITTEN);
    expect(await desk.change(target, { set: [entry("notes", 9000)], remove: ["time"] })).toEqual(WRITTEN);
    expect(await desk.change(target, { set: [entry("notes", 9000)] })).toEqual({ is: "unchanged" });
    const owned = ownedEntries(desk.state, await desk.look(target));
    expect(owned).toMatchObject([
      { name: "github", owner: undefined },
      { name: "notes", owner: { project: "tools", server: "notes" }, value: url(9000), isChanged: false },
    ]);
    expect(targetsOfProject(desk.state, "tools")).toEqual([target]);
    expect(await desk.change(target, { remove: ["notes"] })).toEqual(WRITTEN);
    expect(read(target)).toBe(THEIRS);
    expect(fileRecords(desk.state)).toEqual([]);
  });

  it.each(["", "{}", "{ }\n", '{"mcpServers":{}}', '{\r\n\t"mcpServers": {\r\n\t}\r\n}', "\ufeff{}\n"])(
    "is as it was before, whatever little it said: %j",
    async (text) => {
      const desk = new Desk();
      const target = desk.cursor(text);
      await desk.change(target, { set: [entry("notes", 8421)] });
      expect((await desk.look(target)).entries).toEqual([{ name: "notes", value: url(8421) }]);
      await desk.change(target, { remove: ["notes"] });
      expect(read(target)).toBe(text);
    },
  );

  it("that xy made goes with the last entry, and so do the folders that it made", async () => {
    const desk = new Desk();
    const target = desk.target("goose", ".config/goose/config.yaml");
    expect(
      await desk.change(target, { set: [{ name: "notes", server: "notes", value: { uri: "http://x" } }] }),
    ).toEqual(WRITTEN);
    expect(read(target)).toBe("extensions:\n  notes:\n    uri: http://x\n");
    expect(fs.statSync(target.file).mode & 0o777).toBe(0o600);
    await desk.change(target, { remove: ["notes"] });
    expect(fs.readdirSync(desk.home)).toEqual(["state"]);
  });

  it("that xy made stays while it has something else", async () => {
    const desk = new Desk();
    const target = desk.cursor();
    await desk.change(target, { set: [entry("notes", 8421)] });
    write(target.file, read(target).replace("{", '{\n  "theme": "dark",'));
    await desk.change(target, { remove: ["notes"] });
    expect(JSON.parse(read(target))).toEqual({ theme: "dark" });
  });

  it("is as it was before although somebody changed xy's entry meanwhile, and that is noticed", async () => {
    const desk = new Desk();
    const target = desk.cursor('{ "mcpServers": { } }');
    await desk.change(target, { set: [entry("notes", 8421)] });
    write(target.file, read(target).replace("8421", "1"));
    expect(ownedEntries(desk.state, await desk.look(target))).toMatchObject([
      { name: "notes", isChanged: true },
    ]);
    await desk.change(target, { set: [entry("notes", 8421)] });
    await desk.change(target, { remove: ["notes"] });
    expect(read(target)).toBe('{ "mcpServers": { } }');
  });

  it("keeps what somebody added to xy's entry, and what others wrote since", async () => {
    const desk = new Desk();
    const target = desk.cursor("{}");
    await desk.change(target, { set: [entry("notes", 8421)] });
    const more = { ...JSON.parse(read(target)), theme: "dark" };
    more.mcpServers.notes.disabled = true;
    write(target.file, JSON.stringify(more));
    expect(ownedEntries(desk.state, await desk.look(target))).toMatchObject([{ isChanged: false }]);
    await desk.change(target, { set: [entry("notes", 9000)] });
    expect((await desk.look(target)).entries).toEqual([
      { name: "notes", value: { ...url(9000), disabled: true } },
    ]);
    await desk.change(target, { remove: ["notes"] });
    expect(JSON.parse(read(target))).toEqual({ theme: "dark" });
  });

  it("keeps comments in xy's entry, and where its fields are, and leaves no blank line behind", async () => {
    const desk = new Desk();
    const gh = '"gh": { "url": "https://gh.example/mcp" }';
    const mine = (port: number) =>
      `"web": { // mine\n      /* ok */ "alwaysAllow": ["x"],\n      "url": "${url(port).url}" // here\n    }`;
    const file = (...entries: string[]) =>
      `{\n  "mcpServers": {\n    ${entries.join(",\n    ")}\n  },\n  "theme": 1\n}\n`;
    const target = desk.cursor(`{ "mcpServers": { ${gh} } }`);
    await desk.change(target, { set: [entry("web", 1), entry("more", 3)] });
    const more = `"more": {\n      "url": "${url(3).url}"\n    }`;
    write(target.file, file(gh, mine(1), more));
    await desk.change(target, { set: [entry("web", 2)] });
    expect(read(target)).toBe(file(gh, mine(2), more));
    await desk.change(target, { remove: ["more", "web"] });
    expect(read(target)).toBe(file(gh));
  });

  it("that somebody has deleted is made again; what is missing is known", async () => {
    const desk = new Desk();
    const target = desk.cursor(THEIRS);
    await desk.change(target, { set: [entry("notes", 8421)] });
    fs.rmSync(target.file);
    expect(missingEntries(desk.state, await desk.look(target))).toEqual([
      { name: "notes", project: "tools", server: "notes" },
    ]);
    await desk.change(target, { set: [entry("notes", 8421)] });
    expect(JSON.parse(read(target))).toEqual({ mcpServers: { notes: url(8421) } });
    await desk.change(target, { remove: ["notes"] });
    expect(fs.existsSync(target.file)).toBe(false);
  });

  it("has entries of two projects, which do not touch each other's", async () => {
    const desk = new Desk();
    const target = desk.cursor("{}");
    await desk.change(target, { set: [entry("notes", 8421)] });
    await desk.change(target, { set: [entry("time", 8422)] }, "dots");
    for (const changes of [{ set: [entry("notes", 1)] }, { remove: ["notes"] }])
      expect(await desk.change(target, changes, "dots")).toMatchObject({
        is: "refused",
        problem: { message: expect.stringContaining("notes is an entry of project tools") },
      });
    await desk.change(target, { remove: ["notes"] });
    expect((await desk.look(target)).entries).toEqual([{ name: "time", value: url(8422) }]);
    await desk.change(target, { remove: ["time"] }, "dots");
    expect(read(target)).toBe("{}");
  });

  it("keeps somebody else's entry of the same name, unless it is to be taken over; then that comes back at the end", async () => {
    const desk = new Desk();
    const text = '{"mcpServers": {"notes": {"command": "x"}}}\n';
    const target = desk.cursor(text);
    expect(await desk.change(target, { set: [entry("notes", 8421)] })).toMatchObject({
      is: "refused",
      problem: { message: "cannot use the file of Cursor: notes is somebody else's entry" },
    });
    expect(read(target)).toBe(text);
    await desk.change(target, { set: [{ ...entry("notes", 8421), adopt: true }] });
    expect((await desk.look(target)).entries).toEqual([{ name: "notes", value: url(8421) }]);
    await desk.change(target, { remove: ["notes"] });
    expect(read(target)).toBe(text);
  });

  it("is read again when something else in it changed since it was looked at; the same entry is not written over", async () => {
    const desk = new Desk();
    const target = desk.cursor("{}");
    await desk.change(target, { set: [entry("notes", 8421)] });
    const seen = await desk.look(target);
    write(target.file, read(target).replace("{", '{ "theme": "dark",'));
    const changes = { set: [entry("notes", 9000)], remove: [] };
    expect(await changeEntries(desk.state, seen, "tools", changes)).toEqual(WRITTEN);
    expect(JSON.parse(read(target))).toEqual({ theme: "dark", mcpServers: { notes: url(9000) } });
    expect(await changeEntries(desk.state, seen, "tools", changes)).toEqual({ is: "stale" });
  });

  it("stays a link, keeps its permissions, and what it was at the first touch is kept privately", async () => {
    const desk = new Desk();
    const target = desk.cursor();
    write(join(desk.home, "dotfiles/mcp.json"), THEIRS);
    fs.chmodSync(join(desk.home, "dotfiles/mcp.json"), 0o664);
    fs.mkdirSync(dirname(target.file));
    fs.symlinkSync("../dotfiles/mcp.json", target.file);
    await desk.change(target, { set: [entry("notes", 8421)] });
    await desk.change(target, { remove: ["notes"] });
    await desk.change(target, { set: [entry("notes", 8421)] });
    expect(fs.readlinkSync(target.file)).toBe("../dotfiles/mcp.json");
    expect(fs.statSync(target.file).mode & 0o777).toBe(0o664);
    expect(fs.readdirSync(join(desk.home, "dotfiles"))).toEqual(["mcp.json"]);
    const backup = backupOf(desk.state, target.file);
    expect(fs.readFileSync(backup, "utf8")).toBe(THEIRS);
    expect(fs.statSync(backup).mode & 0o777).toBe(0o600);
  });

  it("a record of a write that did not happen claims nothing; one that did is known", async () => {
    const desk = new Desk();
    const target = desk.cursor('{"mcpServers":{}}');
    await desk.change(target, { set: [entry("time", 8422)] });
    const record = readFileRecord(desk.state, target.file);
    if (record === undefined) throw new Error("no record");
    const notes = { project: "tools", server: "notes", value: url(8421), was: null };
    writeFileRecord(desk.state, { ...record, entries: { ...record.entries, notes } });
    expect(missingEntries(desk.state, await desk.look(target))).toEqual([]);
    write(target.file, '{"mcpServers":{"notes":{"command":"mine"}}}');
    expect(ownedEntries(desk.state, await desk.look(target))).toMatchObject([{ owner: undefined }]);
    write(target.file, JSON.stringify({ mcpServers: { notes: url(8421) } }));
    expect(ownedEntries(desk.state, await desk.look(target))).toMatchObject([{ owner: { server: "notes" } }]);
  });
});

describe("a file that cannot be used", () => {
  it.each<[string, string | Uint8Array, string]>([
    [
      "is not JSON",
      '{\n  "a": 1\n  "b": 2 }',
      ":3:3: cannot use the file of Cursor: this is not JSON: a comma is expected; nothing was changed",
    ],
    ["ends early", '{"mcpServers": {', "this is not JSON: a closing brace is expected"],
    ["is a list", "[]", ":1:1: cannot use the file of Cursor: this is a list, where an object belongs"],
    ["has comments only", "// nothing\n", "this is not JSON: a value is expected"],
    ["is not text", Uint8Array.of(0x7b, 0xff, 0x7d), "it is not UTF-8 text; save it as UTF-8"],
    ["is nested without end", "[".repeat(200_000), "it is nested too deeply"],
    ["is too large", `{}${" ".repeat(10 * 1024 * 1024)}`, "it is larger than 10 MB"],
  ])("because it %s: says so, and where", async (_, text, message) => {
    const desk = new Desk();
    const target = desk.cursor(text);
    expect(await desk.problem(target)).toContain(message);
    expect(Buffer.from(fs.readFileSync(target.file)).equals(Buffer.from(text))).toBe(true);
  });

  it.each<[string, string, string]>([
    [
      "the entries twice",
      '{"mcpServers": {}, "mcpServers": {}}',
      ":1:20: cannot use the file of Cursor: mcpServers is there twice: remove one of them",
    ],
    [
      "an entry twice",
      '{"mcpServers": {"a": 1,\n"a": 2}}',
      ":2:1: cannot use the file of Cursor: a is there twice",
    ],
    [
      "a list for entries",
      '{"mcpServers": []}',
      ":1:16: cannot use the file of Cursor: mcpServers is a list, where an object belongs",
    ],
  ])("because it has %s: says so when it is to be changed", async (_, text, message) => {
    const desk = new Desk();
    const target = desk.cursor(text);
    const write = await desk.change(target, { set: [entry("notes", 8421)] });
    expect(write.is === "refused" && formatDiagnostic(write.problem)).toContain(message);
    expect(read(target)).toBe(text);
    expect(fileRecords(desk.state)).toEqual([]);
  });

  it("because its YAML has a key twice, or an alias that grows without end", async () => {
    const desk = new Desk();
    const target = desk.target("goose", "config.yaml");
    write(target.file, "a: 1\na: 2\n");
    expect(await desk.problem(target)).toMatch(
      /:2:1: cannot use the file of Goose: this is not YAML.*unique/,
    );
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++)
      bomb.push(`b${i}: &b${i} [${`*${i === 1 ? "a" : `b${i - 1}`}, `.repeat(9)}x]`);
    write(target.file, `${bomb.join("\n")}\n`);
    expect(await desk.problem(target)).toContain("cannot use the file of Goose");
  });

  it("because its TOML is none, or has the entry in a way that is not a table of its own", async () => {
    const desk = new Desk();
    const target = desk.target("codex", "config.toml");
    write(target.file, "a = \n");
    expect(await desk.problem(target)).toMatch(/:1:\d+: cannot use the file of Codex: this is not TOML: /);
    const text = '[mcp_servers]\nnotes = { url = "x" }\n';
    write(target.file, text);
    const outcome = await desk.change(target, { set: [{ ...entry("notes", 1), adopt: true }] });
    expect(outcome.is === "refused" && formatDiagnostic(outcome.problem)).toMatch(
      /:2:1: cannot use the file of Codex: mcp_servers.notes is not a table of its own: write it as \[mcp_servers.notes\]/,
    );
    expect(read(target)).toBe(text);
  });

  it("because of what is at its path: a dangling link, a folder, a file that is read-only", async () => {
    const desk = new Desk();
    const target = desk.cursor();
    fs.mkdirSync(target.file, { recursive: true });
    expect(await desk.problem(target)).toContain("it is a folder");
    fs.rmdirSync(target.file);
    fs.symlinkSync("nowhere.json", target.file);
    expect(await desk.problem(target)).toContain("it is a link that leads nowhere");
    fs.rmSync(target.file);
    write(target.file, "{}");
    fs.chmodSync(target.file, 0o444);
    expect(await desk.change(target, { set: [entry("notes", 1)] })).toMatchObject({
      is: "refused",
      problem: { message: expect.stringMatching(/it is read-only; run: chmod u\+w /) },
    });
    expect(read(target)).toBe("{}");
    expect(fileRecords(desk.state)).toEqual([]);
  });

  it.runIf(root)("because it belongs to another account", async () => {
    const desk = new Desk();
    const target = desk.cursor("{}");
    fs.chownSync(target.file, 12345, 12345);
    expect(await desk.problem(target)).toContain("it belongs to another account");
  });

  it("because it leads out of the project that it is in", async () => {
    const desk = new Desk();
    write(join(desk.home, "private.json"), "{}");
    const folder = join(desk.home, "project");
    fs.mkdirSync(join(folder, ".cursor"), { recursive: true });
    const target: ClientTarget = {
      client: "cursor",
      scope: "project",
      folder,
      file: join(folder, ".cursor/mcp.json"),
    };
    fs.symlinkSync("../../private.json", target.file);
    expect(await desk.problem(target)).toContain("it leads out of its project");
    fs.rmSync(join(folder, ".cursor"), { recursive: true });
    fs.symlinkSync("..", join(folder, ".cursor"));
    expect(await desk.change(target, { set: [entry("notes", 1)] })).toMatchObject({ is: "refused" });
    expect(fs.readdirSync(desk.home).sort()).toEqual(["private.json", "project", "state"]);
  });
});
