import { randomInt } from "node:crypto";
import type { ProbeStep } from "../model/probe-report.ts";
import { statusText } from "./http.ts";
import { type Deadline, deadlineIn, exchange, type HttpExchange, type HttpRequest } from "./http-request.ts";
import { type Answer, type AnswerSearch, judge, searchBody } from "./mcp-answer.ts";
import { told } from "./untrusted.ts";

/** Where to reach an MCP server, and how to introduce ourselves. */
export interface McpPlace {
  /** Where to connect. */
  readonly address: string;
  readonly port: number;
  /** The `Host` header, with the port where it needs one. */
  readonly host: string;
  readonly path: string;
  /** Of every request, such as its authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Time for all requests together, ms. */
  readonly timeoutMs: number;
}

export type StepReport = Omit<ProbeStep, "step" | "ms">;

export interface McpRequest {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** It may open a session: wait for its answer a little beyond the deadline, to learn which session must be ended. */
  readonly opens?: true;
  /** What the step says about the answer. */
  readonly report?: (answer: Answer) => StepReport;
}

export interface McpReply {
  readonly answer: Answer;
  /** The session that the server opened with this reply, if requests have to name one. */
  readonly session?: string | undefined;
}

/** How a probe talks to a server, over any transport. */
export interface Talk {
  /** The request path, as one harmless line. */
  readonly path: string;
  /** Headers of every request from now on. */
  standing: Readonly<Record<string, string>>;
  /** Asks, and waits for the answer to this very request. */
  ask(asked: McpRequest): Promise<McpReply>;
  /** Sends the server a notification; a result means that it was accepted. */
  tell(method: string): Promise<Answer>;
}

/** How long ending a session may take, and how long after the deadline an answer that opens one is still read, ms. */
const AFTERWARDS = 500;
/** Most sessions to end: an honest server opens one. */
const MOST_SESSIONS = 4;

/** The requests of one probe to one server: one at a time, each recorded, bounded in time, every session ended. */
export class Conversation implements Talk {
  readonly steps: ProbeStep[] = [];
  readonly path: string;
  standing: Readonly<Record<string, string>> = {};
  readonly #place: McpPlace;
  #deadline: Deadline;
  #eachAlone = false;
  readonly #sessions = new Set<string>();

  constructor(place: McpPlace) {
    this.#place = place;
    this.path = told(place.path, 100);
    this.#deadline = deadlineIn(place.timeoutMs);
  }

  /** Restarts the deadline. `eachAlone`: from now on, each request gets the whole time. */
  renew(eachAlone = false): void {
    this.#eachAlone = eachAlone;
    this.#deadline = deadlineIn(this.#place.timeoutMs);
  }

  async ask(asked: McpRequest): Promise<McpReply> {
    const id = randomInt(1, 2 ** 31);
    const { method, params, report = reportOf } = asked;
    const began = performance.now();
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, ...(params && { params }) });
    if (this.#eachAlone) this.renew(true);
    const { exchanged, search, session } = await this.#post(asked, body, id);
    const answer = judge(exchanged, search, this.#place.host);
    this.#record(method, began, report(answer));
    return { answer, session };
  }

  async tell(method: string): Promise<Answer> {
    const began = performance.now();
    const body = JSON.stringify({ jsonrpc: "2.0", method });
    if (this.#eachAlone) this.renew(true);
    const exchanged = await exchange(this.#request("POST", {}, body, this.#deadline));
    const answer = taken(exchanged, this.#place.host);
    this.#record(method, began, reportOfTelling(answer, exchanged));
    return answer;
  }

  /** Ends every session that was opened, even if there is no time left for anything else. */
  async end(): Promise<void> {
    const deadline = deadlineIn(AFTERWARDS);
    const endOne = async (session: string) => {
      const began = performance.now();
      const request = this.#request("DELETE", { "Mcp-Session-Id": session }, undefined, deadline);
      this.#record("DELETE", began, ended(await exchange(request)));
    };
    await Promise.all([...this.#sessions].map(endOne));
  }

  async #post({ headers = {}, opens }: McpRequest, body: string, id: number) {
    const { at, ms } = this.#deadline;
    const deadline = opens && at > performance.now() ? { at: at + AFTERWARDS, ms } : this.#deadline;
    let search: AnswerSearch | undefined;
    let session: string | undefined;
    const exchanged = await exchange(this.#request("POST", headers, body, deadline), (head) => {
      session = this.#noteSession(head.headers["mcp-session-id"]);
      search = searchBody(head, id);
      return head.status === 401 ? undefined : search.reader;
    });
    const late = performance.now() > at && exchanged.refusal === undefined;
    return { exchanged: late ? { refusal: `gave no answer within ${ms} ms` } : exchanged, search, session };
  }

  #noteSession(header: string | string[] | undefined): string | undefined {
    const session = typeof header === "string" && header !== "" ? header : undefined;
    if (session !== undefined && this.#sessions.size < MOST_SESSIONS) this.#sessions.add(session);
    return session;
  }

  #request(
    method: "POST" | "DELETE",
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    deadline: Deadline,
  ): HttpRequest {
    const { address, port, host, path, headers: always } = this.#place;
    const accept = "application/json, text/event-stream";
    const own = body === undefined ? {} : { "Content-Type": "application/json", Accept: accept };
    const all = { ...always, ...own, ...this.standing, ...headers };
    return { method, address, port, host, path, headers: all, ...(body !== undefined && { body }), deadline };
  }

  #record(step: string, began: number, report: StepReport): void {
    this.steps.push({ step, ...report, ms: Math.round(performance.now() - began) });
  }
}

/** The result of sending a message that has no answer. */
export function taken(exchanged: HttpExchange, host: string): Answer {
  const status = exchanged.head?.status ?? 0;
  return status >= 200 && status < 300 ? { kind: "result", result: {} } : judge(exchanged, undefined, host);
}

export function reportOfTelling(answer: Answer, { head }: HttpExchange): StepReport {
  return reportOf(answer, () => (head ? statusText(head) : ""));
}

/** The step for an answer; `say` describes a result. */
export function reportOf(
  answer: Answer,
  say: (answer: Extract<Answer, { kind: "result" }>) => string = () => "answered",
): StepReport {
  if (answer.kind === "result") return { ok: true, detail: say(answer) };
  return { ok: answer.kind === "unauthorized", detail: answer.detail };
}

function ended({ head, refusal }: HttpExchange): StepReport {
  if (head === undefined) return { ok: false, detail: refusal ?? "gave no answer" };
  if (head.status === 405) return { ok: true, detail: `${statusText(head)}, it ends its sessions itself` };
  return { ok: head.status >= 200 && head.status < 300, detail: statusText(head) };
}
