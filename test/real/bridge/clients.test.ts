import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBridge } from "../../rig/bridge.ts";
import { eventually } from "../../rig/eventually.ts";
import { type Kind, OfficialClient, type Options, type Target } from "../../rig/mcp/eras/clients.ts";
import { ours, PROGRAMS } from "../../rig/mcp/servers.ts";

/** Each official client does through the bridge what it does directly, call by call. */

type Step = readonly [what: string, does: (client: OfficialClient) => Promise<unknown>];

const call = (name: string, args?: object): Step => [
  `${name} ${JSON.stringify(args ?? {})}`,
  (client) => client.call(name, args),
];

const LISTS: readonly Step[] = [
  ["server", (client) => Promise.resolve(client.server)],
  ...(["Tools", "Resources", "ResourceTemplates", "Prompts"] as const).map(
    (what): Step => [what, (client) => client.list(what)],
  ),
];

const progress = (tool: string, args: object): Step => [
  `${tool}, with progress`,
  async (client) => {
    const steps: number[] = [];
    const onprogress = (step: { progress: number }) => steps.push(step.progress);
    const said = await client.call(tool, args, { onprogress });
    // These clients forget of steps that they read together with the answer.
    return [said, steps.every((step, i) => step === i + 1)];
  },
];

/** Of the servers that the tests have written, in either era. */
const ALL: readonly Step[] = [
  ...LISTS,
  call("echo", { said: "ä 1e400 \u2028" }),
  call("fail"),
  call("nothing"),
  progress("steps", { count: 3 }),
  ["a resource", (client) => client.do("readResource", { uri: "note://one" })],
  ["one of many", (client) => client.do("readResource", { uri: "note://any/x%20y" })],
  ["a prompt", (client) => client.do("getPrompt", { name: "greet", arguments: { name: "Ada" } })],
  [
    "a completion",
    (client) =>
      client.do("complete", {
        ref: { type: "ref/prompt", name: "greet" },
        argument: { name: "name", value: "A" },
      }),
  ],
  ["a call taken back", (client) => client.cancelled("hang")],
  call("echo", { said: "still here" }),
  call("elicit"),
  call("sample"),
  [
    "the log, where only errors are wanted",
    async (client) => {
      const said = await client.logged("log");
      const lines = () => client.heard.filter((what) => what.startsWith("log"));
      await eventually(() => expect(lines()).not.toEqual([]));
      return [said, lines()];
    },
  ],
  [
    "news of a list",
    async (client) => {
      const news = () => client.heard.filter((what) => what === "tools").length;
      const before = news();
      await client.call("change");
      await eventually(() => expect(news()).toBe(before + 1));
      const list = await client.list("Tools");
      await client.call("change");
      await eventually(() => expect(news()).toBe(before + 2));
      return list;
    },
  ],
];

const NEWS_OF_A_RESOURCE: Step = [
  "news of a resource",
  async (client) => {
    await client.subscribe("note://one");
    await client.call("touch");
    await eventually(() => expect(client.heard).toContain("updated note://one"));
  },
];

async function told(
  kind: Kind,
  target: Target,
  steps: readonly Step[],
  options: Options,
): Promise<unknown[]> {
  const client = await OfficialClient.open(kind, target, options);
  onTestFinished(() => client.close());
  const said: unknown[] = [];
  for (const [what, does] of steps) said.push([what, await does(client)]);
  await client.close();
  return said;
}

const OLD: readonly Kind[] = ["2.x legacy", "2.x auto", "SDK 1.32", "mcp-remote"];
const EVERY: readonly Kind[] = [...OLD, "2.x pinned"];
const NEW: readonly Kind[] = ["2.x auto", "2.x pinned"];

interface Row {
  readonly server: string;
  readonly share: "session" | "all";
  readonly args: readonly string[];
  readonly kinds: readonly Kind[];
  readonly steps: readonly Step[];
  /** Clients come one after another: what one changes, the others see. */
  readonly isShared?: boolean;
  readonly canAnswer: boolean;
  readonly root?: string;
  /** Whose direct way a client's is compared with. */
  readonly direct: (kind: Kind) => Kind;
  /** What they are told directly, when another row has asked the same server these steps, and maybe more. */
  readonly directly?: Directly;
}

type Directly = Map<Kind, Promise<unknown[]>>;

const library = (kind: Kind): Kind => (kind.startsWith("2.x") ? "2.x legacy" : "SDK 1.32");

async function compared({
  server,
  share,
  args,
  kinds,
  steps,
  isShared = share === "all",
  directly = new Map(),
  ...row
}: Row): Promise<void> {
  const { canAnswer, root, direct } = row;
  const { url, said } = await startBridge(args, { share });
  const options = { canAnswer, ...(root === undefined ? {} : { root }) };
  for (const kind of new Set(kinds.map(direct)))
    if (!directly.has(kind)) directly.set(kind, told(kind, args, steps, options));
  const bridged = new Map<Kind, Promise<unknown[]>>();
  for (const kind of kinds) {
    const way = told(kind, url, steps, options);
    bridged.set(kind, way);
    // What one does changes what the others are told.
    if (isShared) await way.catch(() => undefined);
  }
  for (const kind of kinds)
    expect(await bridged.get(kind), `${kind} to ${server}\n${said.join("\n")}`).toEqual(
      (await directly.get(direct(kind)))?.slice(0, steps.length),
    );
}

describe("an official client does through the bridge what it does directly", () => {
  it("with a server of the versions with sessions", { timeout: 120_000 }, async () => {
    const args = [ours("eras/legacy")];
    const steps = [...ALL, NEWS_OF_A_RESOURCE];
    const directly: Directly = new Map();
    const common = { server: "legacy", args, canAnswer: true, direct: library, directly };
    await Promise.all([
      compared({ ...common, share: "session", kinds: OLD, steps: [...steps, call("roots")], root: "/tmp" }),
      compared({ ...common, share: "all", kinds: EVERY, steps }),
    ]);
  });

  it("with a server of the version without sessions, and with one of both", {
    timeout: 120_000,
  }, async () => {
    const steps = [...ALL, NEWS_OF_A_RESOURCE, call("roots")];
    const common = { share: "session", kinds: EVERY, steps, isShared: true } as const;
    const asked = { canAnswer: true, root: "/tmp", direct: (): Kind => "2.x pinned" };
    await Promise.all([
      compared({ ...common, server: "modern", args: [ours("eras/modern")], ...asked }),
      compared({ ...common, server: "both", args: [ours("eras/modern"), "--both"], ...asked }),
    ]);
  });

  it("with servers that people use", { timeout: 120_000 }, async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "xy-clients-")));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "a.txt"), "of the folder");
    const everything: readonly Step[] = [
      ...LISTS,
      call("echo", { message: "hi" }),
      call("get-sum", { a: 1, b: 2.5 }),
      call("get-tiny-image"),
      call("get-structured-content", { location: "Chicago" }),
      progress("trigger-long-running-operation", { duration: 1, steps: 4 }),
    ];
    const filesystem: readonly Step[] = [
      ...LISTS,
      call("list_allowed_directories"),
      call("read_text_file", { path: join(folder, "a.txt") }),
      call("read_text_file", { path: "/etc/hostname" }),
    ];
    const memory: readonly Step[] = [
      ...LISTS,
      call("create_entities", { entities: [] }),
      call("search_nodes", { query: "nothing of the kind" }),
    ];
    const context7: readonly Step[] = [...LISTS, call("resolve-library-id", {})];
    const rows: readonly Omit<Row, "share">[] = [
      {
        ...{ server: "everything", args: [PROGRAMS.everything, "stdio"], kinds: OLD, steps: everything },
        ...{ canAnswer: false, direct: library },
      },
      {
        ...{ server: "filesystem", args: [PROGRAMS.filesystem, folder], kinds: OLD, steps: filesystem },
        ...{ canAnswer: true, root: folder, direct: library },
      },
      {
        ...{ server: "memory", args: [PROGRAMS.memory], kinds: OLD, steps: memory },
        ...{ canAnswer: false, direct: library },
      },
    ];
    const context: Row = {
      ...{ server: "context7", share: "session", args: [PROGRAMS.context7], kinds: NEW, steps: context7 },
      ...{ canAnswer: false, direct: () => "2.x pinned" },
    };
    const both = rows.map((row) => ({ ...row, directly: new Map() }));
    await Promise.all([
      ...both.map((row) => compared({ ...row, share: "session" })),
      ...both.map((row) => compared({ ...row, share: "all", kinds: ["SDK 1.32", ...NEW] })),
      compared(context),
    ]);
  });
});
