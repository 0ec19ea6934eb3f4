import * as modern from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernStdio } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldStdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as OldHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import * as types from "@modelcontextprotocol/sdk/types.js";
import { PROGRAMS, SERVER_ENV } from "../servers.ts";

/** The official clients, each in its own way, behind one face: what a test asks all of them alike. */

export type Kind = "2.x legacy" | "2.x auto" | "2.x pinned" | "SDK 1.32" | "mcp-remote";

/** A server: a program that is started, or a URL. */
export type Target = readonly string[] | URL;

export interface Options {
  readonly canAnswer: boolean;
  /** Folder that it tells of. */
  readonly root?: string;
}

/** What came of it: a result, or the message of an error. */
export type Outcome = unknown;

// biome-ignore lint/suspicious/noExplicitAny: two libraries with the same methods, and other types.
type Any = any;

const ASKED = {
  elicit: () => ({ action: "accept", content: { name: "Ada" } }) as const,
  sample: () => ({ model: "m", role: "assistant", content: { type: "text", text: "word" } }) as const,
};

export class OfficialClient {
  readonly kind: Kind;
  readonly #client: Any;
  readonly #transport: Any;
  readonly heard: string[] = [];
  #isModern = false;

  private constructor(kind: Kind, client: Any, transport: Any) {
    this.kind = kind;
    this.#client = client;
    this.#transport = transport;
  }

  static async open(kind: Kind, target: Target, { canAnswer, root }: Options): Promise<OfficialClient> {
    const capabilities = canAnswer
      ? { elicitation: {}, sampling: {}, ...(root === undefined ? {} : { roots: {} }) }
      : {};
    const isNew = kind.startsWith("2.x");
    const mode = { "2.x auto": "auto", "2.x pinned": { pin: "2026-07-28" } }[kind as string];
    const listChanged = { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => said("tools") } };
    const client: Any = isNew
      ? new modern.Client({ name: "test", version: "1" }, {
          capabilities,
          listChanged,
          ...(mode ? { versionNegotiation: { mode } } : {}),
        } as Any)
      : new OldClient({ name: "test", version: "1" }, { capabilities });
    const official = new OfficialClient(kind, client, transportOf(kind, target));
    const said = (what: string) => void official.heard.push(what);
    const on = (method: string, schema: Any, does: (message: Any) => void) =>
      client.setNotificationHandler(isNew ? method : schema, does);
    on("notifications/message", types.LoggingMessageNotificationSchema, ({ params }) =>
      said(`log ${params.data}`),
    );
    on("notifications/resources/updated", types.ResourceUpdatedNotificationSchema, ({ params }) =>
      said(`updated ${params.uri}`),
    );
    if (!isNew) on("", types.ToolListChangedNotificationSchema, () => said("tools"));
    if (canAnswer) {
      client.setRequestHandler(isNew ? "elicitation/create" : types.ElicitRequestSchema, ASKED.elicit);
      client.setRequestHandler(
        isNew ? "sampling/createMessage" : types.CreateMessageRequestSchema,
        ASKED.sample,
      );
      if (root !== undefined)
        client.setRequestHandler(isNew ? "roots/list" : types.ListRootsRequestSchema, () => ({
          roots: [{ uri: `file://${root}` }],
        }));
    }
    await client.connect(official.#transport);
    official.#isModern = isNew && client.getNegotiatedProtocolVersion() === "2026-07-28";
    return official;
  }

  get isModern(): boolean {
    return this.#isModern;
  }

  get server(): unknown {
    const { name, version } = this.#client.getServerVersion();
    return { name, version, instructions: this.#client.getInstructions() };
  }

  list(what: "Tools" | "Resources" | "ResourceTemplates" | "Prompts"): Promise<Outcome> {
    const { [CAPABILITY[what]]: able } = this.#client.getServerCapabilities();
    // The libraries differ in what they do then.
    if (able === undefined) return Promise.resolve("none");
    return outcome(() => this.#client[`list${what}`]());
  }

  call(name: string, args: object = {}, options: object = {}, meta?: object): Promise<Outcome> {
    const params = { name, arguments: args, ...(meta ? { _meta: meta } : {}) };
    return outcome(() =>
      this.kind.startsWith("2.x")
        ? this.#client.callTool(params, options)
        : this.#client.callTool(params, undefined, options),
    );
  }

  do(method: "readResource" | "getPrompt" | "complete", params: object): Promise<Outcome> {
    return outcome(() => this.#client[method](params));
  }

  /** Calls `tool`, and takes that back when the first word of it is here. */
  async cancelled(tool: string): Promise<Outcome> {
    const abort = new AbortController();
    const said = await this.call(tool, {}, { signal: abort.signal, onprogress: () => abort.abort() });
    return abort.signal.aborted && typeof said === "object" ? "cancelled" : said;
  }

  /** Hears from then on what a call of `tool` writes to the log as errors. */
  async logged(tool: string): Promise<Outcome> {
    if (!this.#isModern) await this.#client.setLoggingLevel("error");
    return this.call(
      tool,
      {},
      {},
      this.#isModern ? { "io.modelcontextprotocol/logLevel": "error" } : undefined,
    );
  }

  async subscribe(uri: string): Promise<void> {
    if (this.#isModern) await this.#client.listen({ resourceSubscriptions: [uri] });
    else await this.#client.subscribeResource({ uri });
  }

  /** Once: the second time, nothing is left to do. */
  async close(): Promise<void> {
    await this.#transport.terminateSession?.().catch(() => undefined);
    await this.#client.close();
  }
}

function transportOf(kind: Kind, target: Target): Any {
  const isNew = kind.startsWith("2.x");
  if (target instanceof URL && kind !== "mcp-remote")
    return isNew ? new modern.StreamableHTTPClientTransport(target) : new OldHttp(target);
  const args =
    target instanceof URL
      ? [PROGRAMS.mcpRemote, target.href, "--transport", "http-only", "--silent"]
      : [...target];
  const Stdio = isNew ? ModernStdio : OldStdio;
  return new Stdio({
    command: process.execPath,
    args,
    stderr: "ignore",
    env: { ...(process.env as Record<string, string>), ...SERVER_ENV },
  });
}

const CAPABILITY = {
  Tools: "tools",
  Resources: "resources",
  ResourceTemplates: "resources",
  Prompts: "prompts",
};

/** Without what only the one era has. */
const ERAS_OWN = new Set(["_meta", "ttlMs", "cacheScope", "resultType", "execution"]);

async function outcome(does: () => Promise<unknown>): Promise<Outcome> {
  try {
    return JSON.parse(JSON.stringify(await does(), (key, value) => (ERAS_OWN.has(key) ? undefined : value)));
  } catch (error) {
    return { fails: (error as Error).message.replace(/^MCP error -\d+: /, "") };
  }
}
