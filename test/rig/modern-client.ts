import { request } from "node:http";
import { KEY, MODERN } from "../../src/bridge/eras/envelope.ts";
import { type Message, messagesIn } from "./bridge-client.ts";

/** A client of the version without sessions, without any help from a package. */

export interface Sent {
  readonly id?: number | string;
  readonly capabilities?: object;
  readonly level?: string;
  /** For its progress. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly meta?: object;
}

/** An answer as it comes in. */
export interface Coming {
  readonly status: number;
  readonly messages: Message[];
  /** All of it is there. */
  readonly done: Promise<Message>;
  close(): void;
}

/** Begins a request; settles when the answer begins. */
export function begin(
  port: number,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  { id = 1, capabilities = {}, level, token, headers = {}, meta }: Sent = {},
): Promise<Coming> {
  return new Promise((resolve, reject) => {
    const envelope = {
      [KEY.version]: MODERN,
      [KEY.client]: { name: "test", version: "1" },
      [KEY.capabilities]: capabilities,
      [KEY.level]: level,
      progressToken: token,
    };
    const body = JSON.stringify({
      ...{ jsonrpc: "2.0", id, method },
      params: { ...params, _meta: meta ?? envelope },
    });
    const name = params.name ?? params.uri;
    const all = {
      ...{ "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
      ...{ "MCP-Protocol-Version": MODERN, "Mcp-Method": method },
      ...(typeof name === "string" ? { "Mcp-Name": name } : {}),
      ...headers,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const sent = request(
      { port, host: "127.0.0.1", method: "POST", path: "/mcp", headers: given },
      (response) => {
        let text = "";
        const messages: Message[] = [];
        response.setEncoding("utf8").on("data", (piece) => {
          text += piece;
          if (text.startsWith("{")) return;
          messages.splice(0, messages.length, ...messagesIn(text));
        });
        const done = new Promise<Message>((end) =>
          response.once("close", () => {
            messages.splice(0, messages.length, ...messagesIn(text));
            end(messages.at(-1) ?? {});
          }),
        );
        resolve({ status: response.statusCode ?? 0, messages, done, close: () => sent.destroy() });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A request, to its end: its last message. */
export async function modernly(...asked: Parameters<typeof begin>): Promise<Message> {
  return (await begin(...asked)).done;
}
