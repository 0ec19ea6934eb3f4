import { isObject } from "../../model/object.ts";
import { crypto } from "../../system/crypto.ts";
import type { Call, Link, Peer } from "../link.ts";
import { doneText, errorText, type Message, RPC, requestText } from "../message.ts";
import type { Session } from "../session.ts";
import { onOneLine } from "../splice.ts";
import { envelope } from "./envelope.ts";
import { Listener, type Listens } from "./listens.ts";
import type { Hearer, Logs } from "./logs.ts";
import { whyLost } from "./lost.ts";
import { Raw, rawAt, withMembers } from "./members.ts";
import { canAnswer, MOST_QUESTIONS, MOST_ROUNDS, QUESTION_BOUND } from "./questions.ts";
import { legacyResult, modernCapabilities, modernRequest, resultIn, unstamped } from "./translate.ts";

type Request = Extract<Message, { kind: "request" }>;

/** The server that such clients share. */
export interface ModernServer {
  readonly listens: Listens;
  readonly logs: Logs;
  /** The child, started if need be. */
  reached(): Promise<Link>;
  readonly running: Link | undefined;
  /** What it answered to `server/discover`. */
  readonly discovered: string;
}

/** A call, for as long as its client waits: it may take several requests of the server. */
interface Work {
  readonly request: Request;
  readonly call: Call;
  /** What the server works on now. */
  own?: Call;
  link?: Link;
  hearer?: Hearer;
  readonly questions: Set<string>;
  rounds: number;
}

/** A server that is asked without session asks nothing by itself: it wants to know more, and the client comes again. */
const PAUSE = 250;

/** A client that has a session, in front of a server that has none. */
export class OldClient implements Peer {
  readonly #session: Session;
  readonly #server: ModernServer;
  readonly #work = new Map<Call, Work>();
  readonly #questions = new Map<string, (text: string | undefined) => void>();
  #listener: Listener | undefined;

  constructor(session: Session, server: ModernServer) {
    this.#session = session;
    this.#server = server;
  }

  call(request: Request, text: string, call: Call): void {
    const { method } = request;
    const why = whyLost("with sessions", method);
    if (why !== undefined)
      return void call.end(errorText(call.id, RPC.methodNotFound, `cannot answer ${method}: ${why}`));
    if (method === "logging/setLevel") return void this.#levelSet(call);
    if (/^resources\/(un)?subscribe$/.test(method)) return void this.#subscribed(call);
    const work: Work = { request, call, questions: new Set(), rounds: 0 };
    this.#work.set(call, work);
    const { level } = this.#session;
    const { clientInfo, capabilities } = this.#session.introduction;
    void this.#send(
      work,
      modernRequest(onOneLine(text), envelope(clientInfo, modernCapabilities(capabilities), level)),
    );
  }

  cancel(call: Call, text: string): void {
    const work = this.#work.get(call);
    if (work === undefined) return;
    this.#forget(work);
    if (work.own) work.link?.cancel(work.own, text);
  }

  /** What else such clients tell is nothing that this server knows. */
  pass(): void {}

  answer(id: string, text: string): void {
    this.#questions.get(id)?.(text);
  }

  close(): void {
    if (this.#listener) this.#server.listens.close(this.#listener);
    for (const work of [...this.#work.values()]) this.#forget(work);
  }

  // --- news and logs ----------------------------------------------------------------------------------------------

  #levelSet(call: Call): void {
    const { capabilities } = resultIn(this.#server.discovered);
    const hasLog = isObject(capabilities) && isObject(capabilities.logging);
    // It goes with each request.
    if (hasLog) call.end(doneText(call.id));
    else call.end(errorText(call.id, RPC.methodNotFound, "cannot set a level: the server has no log"));
  }

  #subscribed(call: Call): void {
    this.#listen((failure) => {
      call.end(failure === undefined ? doneText(call.id) : failure(call));
    });
  }

  /** The server tells this client from now on of the resources that it wants. `done`: it has agreed, or why not. */
  #listen(done: (failure?: (call: Call) => string) => void): void {
    const { listens, running } = this.#server;
    const before = this.#listener;
    const { subscriptions, introduction } = this.#session;
    const params = {
      notifications: { resourceSubscriptions: [...subscriptions] },
      _meta: envelope(introduction.clientInfo, {}),
    };
    const request: Request = { kind: "request", id: 0, method: "subscriptions/listen", params };
    const listener = new Listener(
      request,
      requestText(0, request.method, params),
      (message, method) => {
        if (method !== "notifications/subscriptions/acknowledged")
          return this.#session.tell(unstamped(message), true);
        // No news is lost between the one and the other.
        if (before) listens.close(before);
        done();
        return true;
      },
      (answer) => {
        listens.close(listener);
        if (this.#listener === listener) this.#listener = before;
        const error = rawAt(answer, ["error"]);
        if (error) done(({ id }) => withMembers(doneText(id), [], { error, result: undefined }));
      },
    );
    this.#listener = listener;
    listens.open(listener, running);
  }

  // --- calls ------------------------------------------------------------------------------------------------------

  async #send(work: Work, text: string): Promise<void> {
    const { call, request } = work;
    try {
      const link = await this.#server.reached();
      if (!this.#work.has(call)) return;
      const own: Call = {
        ...{ id: call.id, token: call.token },
        tell: (message) => call.tell(message),
        end: (answer) => this.#answered(work, text, answer),
      };
      const { level } = this.#session;
      if (level !== undefined) {
        const tell = (message: string) => call.tell(message) || this.#session.tell(message);
        work.hearer = { level, who: this.#session, tell };
        this.#server.logs.add(work.hearer);
      }
      Object.assign(work, { own, link });
      link.call(request, text, own);
    } catch (error) {
      this.#end(
        work,
        errorText(call.id, RPC.internalError, `cannot start the server: ${(error as Error).message}`),
      );
    }
  }

  #answered(work: Work, text: string, answer: string): void {
    this.#server.logs.delete(work.hearer);
    if (!answer.includes('"input_required"') || resultIn(answer).resultType !== "input_required")
      return void this.#end(work, legacyResult(answer));
    this.#again(work, text, answer).catch((error: Error) =>
      this.#end(work, errorText(work.call.id, RPC.internalError, `cannot go on: ${error.message}`)),
    );
  }

  /** The server needs to know more: the client is asked, and the request made again with what it says. */
  async #again(work: Work, text: string, answer: string): Promise<void> {
    const { inputRequests = {} } = resultIn(answer);
    const asked = Object.entries(isObject(inputRequests) ? inputRequests : {});
    if (++work.rounds > MOST_ROUNDS || asked.length > MOST_QUESTIONS)
      throw new Error("the server asks too many questions");
    if (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const answers = await Promise.all(
      asked.map(async ([key, question]) => {
        const params = rawAt(answer, ["result", "inputRequests", key, "params"]);
        const said = await this.#ask(work, isObject(question) ? question : {}, params);
        return `${JSON.stringify(key)}:${said.text}`;
      }),
    );
    if (!this.#work.has(work.call)) return;
    await this.#send(
      work,
      withMembers(text, ["params"], {
        inputResponses: answers.length === 0 ? undefined : new Raw(`{${answers.join(",")}}`),
        requestState: rawAt(answer, ["result", "requestState"]),
      }),
    );
  }

  async #ask(work: Work, { method, params }: Record<string, unknown>, raw: Raw | undefined): Promise<Raw> {
    if (!canAnswer(this.#session.introduction.capabilities, method))
      throw new Error(`the client cannot answer ${String(method)}`);
    const id = `xy-${crypto().randomUUID()}`;
    const isLink = isObject(params) && params.mode === "url" && params.elicitationId === undefined;
    const question = withMembers(requestText(id, String(method)), [], { params: raw });
    const whole = isLink
      ? withMembers(question, ["params"], { elicitationId: crypto().randomUUID() })
      : question;
    const said = await new Promise<string | undefined>((resolve) => {
      const late = setTimeout(resolve, QUESTION_BOUND, undefined);
      this.#questions.set(id, (text) => {
        clearTimeout(late);
        resolve(text);
      });
      work.questions.add(id);
      this.#session.questions.add(id);
      if (!this.#session.tell(whole)) this.#questions.get(id)?.(undefined);
    });
    this.#questions.delete(id);
    work.questions.delete(id);
    this.#session.takeBack(id);
    const result = said === undefined ? undefined : rawAt(said, ["result"]);
    if (result) return result;
    const error = said === undefined ? undefined : JSON.parse(said).error;
    throw new Error(`the client did not answer ${String(method)}: ${error?.message ?? "it did not hear it"}`);
  }

  #end(work: Work, answer: string): void {
    if (!this.#work.has(work.call)) return;
    this.#forget(work);
    work.call.end(answer);
  }

  #forget(work: Work): void {
    this.#work.delete(work.call);
    this.#server.logs.delete(work.hearer);
    for (const id of work.questions) this.#questions.get(id)?.(undefined);
  }
}
