import { request } from "node:http";

/** A client that says exactly what a test wants said. */

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One request, to the end of its answer. */
export function ask(
  port: number,
  {
    method = "POST",
    path = "/mcp",
    headers = {},
    body,
  }: { method?: string; path?: string; headers?: Record<string, string>; body?: unknown },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const data = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const common = { Accept: "application/json, text/event-stream" };
    const own = data === undefined ? common : { ...common, "Content-Type": "application/json" };
    const sent = request(
      { port, host: "127.0.0.1", method, path, headers: { ...own, ...headers } },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece) => (text += piece));
        response.once("close", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    sent.once("error", reject);
    sent.end(data);
  });
}

const INTRODUCTION = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
};

/** A client of the legacy era, without any help from a package. */
export class PlainClient {
  readonly port: number;
  session = "";
  #counter = 0;

  constructor(port: number) {
    this.port = port;
  }

  static async open(port: number, capabilities: object = {}, version = "2025-06-18"): Promise<PlainClient> {
    const client = new PlainClient(port);
    const { status, headers, text } = await client.post({
      ...{
        jsonrpc: "2.0",
        id: 0,
        method: "initialize",
        params: { ...INTRODUCTION, protocolVersion: version, capabilities },
      },
    });
    // A stream has its headers before it is known how it ends.
    const isRefused = messagesIn(text).at(-1)?.error !== undefined;
    if (status !== 200 || headers["mcp-session-id"] === undefined || isRefused)
      throw new Error(`${status}: ${text}`);
    client.session = String(headers["mcp-session-id"]);
    await client.post({ jsonrpc: "2.0", method: "notifications/initialized" });
    return client;
  }

  get headers(): Record<string, string> {
    return this.session === "" ? {} : { "Mcp-Session-Id": this.session };
  }

  post(body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return ask(this.port, { headers: { ...this.headers, ...headers }, body });
  }

  /** The last message of the answer. */
  async request(
    method: string,
    params: unknown = {},
    id: number | string = ++this.#counter,
  ): Promise<Message> {
    const { text } = await this.post({ jsonrpc: "2.0", id, method, params });
    return messagesIn(text).at(-1) ?? {};
  }

  /** Text of what the tool of `odd.mjs` says; of an error, its message. */
  async do(deed: string, more: object = {}): Promise<string> {
    const { result, error } = await this.request("tools/call", { name: "do", arguments: { deed, ...more } });
    return result?.content?.[0]?.text ?? error?.message ?? JSON.stringify(result);
  }

  /** Opens a stream, and collects what comes there. */
  listen(): Promise<{ messages: Message[]; raw: () => string; close: () => void }> {
    return new Promise((resolve, reject) => {
      const headers = { ...this.headers, Accept: "text/event-stream" };
      const opened = request(
        { port: this.port, host: "127.0.0.1", method: "GET", path: "/mcp", headers },
        (response) => {
          if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
          let text = "";
          const messages: Message[] = [];
          response.setEncoding("utf8").on("data", (piece) => {
            text += piece;
            messages.splice(0, messages.length, ...messagesIn(text));
          });
          resolve({ messages, raw: () => text, close: () => opened.destroy() });
        },
      );
      opened.on("error", () => {});
      opened.end();
    });
  }
}

export interface Message {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: whatever a test looks at.
  readonly result?: any;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export function messagesIn(text: string): Message[] {
  if (text.startsWith("{")) return [JSON.parse(text)];
  return [...text.matchAll(/^data: (.*)\n/gm)].map(([, data]) => JSON.parse(data ?? ""));
}
