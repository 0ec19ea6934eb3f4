import { randomInt } from "node:crypto";
import type { ProbeStep } from "../model/probe-report.ts";
import { saidWith } from "./http.ts";
import { type Deadline, deadlineIn, exchange, type HttpExchange, type ResponseHead } from "./http-request.ts";
import { type RpcAnswer, readAnswer } from "./json-rpc.ts";
import { type Answer, type AnswerSearch, contentType, judge, refusedWith, searchBody } from "./mcp-answer.ts";
import {
  type McpPlace,
  type McpReply,
  type McpRequest,
  reportOf,
  reportOfTelling,
  type StepReport,
  type Talk,
  taken,
} from "./mcp-conversation.ts";
import { ServerEvents } from "./sse.ts";
import { told } from "./untrusted.ts";

/**
 * HTTP+SSE, the transport of 2024-11-05: a GET opens a stream whose first event says where to send messages, and answers
 * come on the stream. The session ends with the stream.
 */

/** Longest address for messages that a server may give, characters. */
const LONGEST_ENDPOINT = 2000;

/** The result of opening a stream. `other`: it is not this transport, and this is its answer. */
export type Opened =
  | { readonly kind: "open" }
  | { readonly kind: "other"; readonly status: number; readonly detail: string }
  | { readonly kind: "bad"; readonly answer: Exclude<Answer, { kind: "result" }> };

export class SseTalk implements Talk {
  readonly path: string;
  standing: Readonly<Record<string, string>> = {};
  readonly #place: McpPlace;
  readonly #steps: ProbeStep[];
  readonly #deadline: Deadline;
  readonly #closing = new AbortController();
  /** Every exchange that was started. */
  readonly #begun: Promise<HttpExchange>[] = [];
  /** Path and query that messages go to. */
  #endpoint = "";
  /** Gets each message from the server, and in the end why there are no more. */
  #hear: (message: string | undefined, end: string) => void = () => {};
  /** Why the stream has ended. */
  #over: string | undefined;

  constructor(place: McpPlace, steps: ProbeStep[]) {
    this.#place = place;
    this.#steps = steps;
    this.path = told(place.path, 100);
    this.#deadline = deadlineIn(place.timeoutMs);
  }

  /** Opens the stream, and waits until it has said where messages go. */
  async open(): Promise<Opened> {
    const began = performance.now();
    const opened = await this.#openStream();
    this.#record(`GET ${this.path}`, began, this.#reportOfOpening(opened));
    return opened;
  }

  #openStream(): Promise<Opened> {
    return new Promise((resolve) => {
      const events = new ServerEvents();
      let head: ResponseHead | undefined;
      let search: AnswerSearch | undefined;
      const take = (piece: Buffer) => {
        for (const { type, data } of events.take(piece)) {
          if (type === "message") this.#hear(data, "");
          if (type !== "endpoint" || this.#endpoint !== "") continue;
          const endpoint = endpointIn(data, this.#place);
          if (!endpoint.ok) {
            resolve({ kind: "bad", answer: { kind: "failed", detail: endpoint.detail } });
            return true;
          }
          this.#endpoint = endpoint.path;
          resolve({ kind: "open" });
        }
        return false;
      };
      const headers = { Accept: "text/event-stream", "Cache-Control": "no-store" };
      const stream = this.#exchange({ method: "GET", path: this.#place.path, headers }, (got) => {
        head = got;
        if (isStream(got)) return take;
        search = searchBody(got, 0);
        return got.status === 403 ? search.reader : undefined;
      });
      void stream.then((done) => {
        const streams = head !== undefined && isStream(head);
        const { refusal = "ended its stream", isLate } = done;
        const within = `within ${this.#deadline.ms} ms`;
        this.#over = isLate ? `gave no answer on its stream ${within}` : `${refusal} before the answer`;
        this.#hear(undefined, this.#over);
        resolve(this.#unopened(done, streams, search));
      });
    });
  }

  /** The stream ended before it said where messages go, or never was one. */
  #unopened(done: HttpExchange, streams: boolean, search: AnswerSearch | undefined): Opened {
    const { head, refusal, isLate } = done;
    const { ms } = this.#deadline;
    if (streams) {
      const detail = isLate
        ? `sent no endpoint event on its stream within ${ms} ms`
        : `${refusal ?? "ended its stream"} before an endpoint event`;
      return { kind: "bad", answer: { kind: "failed", detail } };
    }
    if (head === undefined) return { kind: "other", status: 0, detail: refusal ?? "gave no answer" };
    const answer = judge(done, search, this.#place.host);
    if (answer.kind === "unauthorized") return { kind: "bad", answer };
    const { status } = head;
    const detail = answer.kind === "result" || status < 300 ? saidWith(head, "") : answer.detail;
    return { kind: "other", status, detail };
  }

  #reportOfOpening(opened: Opened): StepReport {
    switch (opened.kind) {
      case "open":
        // The rest of it may name a session.
        return { ok: true, detail: `messages go to ${told(this.#endpoint.split("?")[0] ?? "", 100)}` };
      case "other":
        return { ok: false, detail: opened.detail };
      case "bad":
        return { ok: opened.answer.kind === "unauthorized", detail: opened.answer.detail };
    }
  }

  async ask(asked: McpRequest): Promise<McpReply> {
    const { method, params, report = reportOf } = asked;
    const id = randomInt(1, 2 ** 31);
    const began = performance.now();
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, ...(params && { params }) });
    const answer = await this.#answerTo(id, body, asked.headers ?? {});
    this.#record(method, began, report(answer));
    return { answer };
  }

  async tell(method: string): Promise<Answer> {
    const began = performance.now();
    const exchanged = await this.#post(JSON.stringify({ jsonrpc: "2.0", method }), {});
    const answer = taken(exchanged, this.#place.host);
    this.#record(method, began, reportOfTelling(answer, exchanged));
    return answer;
  }

  /** Ends the stream, and all pending exchanges. */
  async end(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#begun);
  }

  /** The stream's answer to a request, unless the message itself is refused first. */
  #answerTo(id: number, body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    return new Promise((resolve) => {
      let search: AnswerSearch | undefined;
      let heard: RpcAnswer | undefined;
      const settle = (answer: Answer) => {
        this.#hear = () => {};
        resolve(answer);
      };
      this.#hear = (message, end) => {
        if (message === undefined) return settle(this.#silence(end, heard, search?.found()));
        const read = readAnswer(message, id);
        if (read.kind === "result") return settle({ kind: "result", result: read.result });
        if (read.kind === "error") return settle(refusedWith(read.error));
        if (read.kind === "stranger") heard = read;
      };
      if (this.#over !== undefined) return this.#hear(undefined, this.#over);
      const posted = this.#post(body, headers, (head) => {
        search = searchBody(head, id);
        return search;
      });
      void posted.then((exchanged) => {
        const status = exchanged.head?.status ?? 0;
        if (status < 200 || status >= 300) settle(judge(exchanged, search, this.#place.host));
      });
    });
  }

  /** Why there is no answer. `body`: what the message itself was answered with. */
  #silence(end: string, heard: RpcAnswer | undefined, body: RpcAnswer | undefined): Answer {
    const instead =
      body?.kind === "result" || body?.kind === "error"
        ? "; it answered in the body of the POST, where no client looks"
        : heard === undefined
          ? ""
          : "; it sent the answer to another request";
    return { kind: "failed", detail: `${end}${instead}` };
  }

  #post(
    body: string,
    headers: Readonly<Record<string, string>>,
    search: (head: ResponseHead) => AnswerSearch | undefined = () => undefined,
  ): Promise<HttpExchange> {
    const all = { "Content-Type": "application/json", Accept: "*/*", ...this.standing, ...headers };
    const asked = { method: "POST", path: this.#endpoint, headers: all, body } as const;
    return this.#exchange(asked, (head) => search(head)?.reader);
  }

  #exchange(
    asked: Pick<Parameters<typeof exchange>[0], "method" | "path" | "headers" | "body">,
    open: Parameters<typeof exchange>[1],
  ): Promise<HttpExchange> {
    const { address, port, host } = this.#place;
    const { signal } = this.#closing;
    const begun = exchange({ ...asked, address, port, host, deadline: this.#deadline, signal }, open);
    this.#begun.push(begun);
    return begun;
  }

  #record(step: string, began: number, report: StepReport): void {
    this.#steps.push({ step, ...report, ms: Math.round(performance.now() - began) });
  }
}

function isStream(head: ResponseHead): boolean {
  return head.status === 200 && contentType(head) === "text/event-stream";
}

type Endpoint =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly detail: string };

/**
 * Where messages go, as clients read it: relative to the stream's address, and of the same origin. The server must not
 * send us anywhere else.
 */
function endpointIn(data: string, { host, path }: Pick<McpPlace, "host" | "path">): Endpoint {
  if (data.length > LONGEST_ENDPOINT)
    return {
      ok: false,
      detail: `gives an endpoint for messages of more than ${LONGEST_ENDPOINT} characters`,
    };
  try {
    const here = new URL(path, `http://${host}`);
    const there = new URL(data, here);
    if (there.origin === here.origin) return { ok: true, path: `${there.pathname}${there.search}` };
    const elsewhere = there.origin === "null" ? data : there.origin;
    return {
      ok: false,
      detail: `gives an endpoint for messages that is not its own: ${told(elsewhere, 100)}, not ${here.origin}`,
    };
  } catch {
    return { ok: false, detail: `gives an endpoint for messages that is not an address: ${told(data, 100)}` };
  }
}
