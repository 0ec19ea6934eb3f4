import { crypto } from "../../system/crypto.ts";
import type { Answer } from "../answer.ts";
import type { Call, Link } from "../link.ts";
import { doneText, errorText, type Id, type Message, progressToken, RPC, readMessage } from "../message.ts";
import { onOneLine } from "../splice.ts";
import { KEY, metaOf } from "./envelope.ts";
import { CANCELLED } from "./listens.ts";
import { type Hearer, Logs } from "./logs.ts";
import { Raw, rawAt, withMembers } from "./members.ts";
import { canAnswer, QUESTION_BOUND } from "./questions.ts";
import { legacyRequest, modernResult } from "./translate.ts";

type Request = Extract<Message, { kind: "request" }>;

interface Question {
  /** The link's id of it. */
  readonly id: string;
  readonly method: string;
  readonly params: Raw | undefined;
  isAsked: boolean;
}

/** A call of a client without session, which a server with sessions works on. */
class Guest implements Call {
  id: Id;
  token: Id | undefined;
  readonly request: Request;
  readonly link: Link;
  /** Where its client waits; undefined: it is to come back, with what `state` says. */
  answer: Answer | undefined;
  readonly questions: Question[] = [];
  readonly hearer: Hearer | undefined;
  state = "";
  /** What the server answered while the client was away. */
  result: string | undefined;
  late: NodeJS.Timeout | undefined;
  readonly #done: (guest: Guest) => void;

  constructor(request: Request, link: Link, answer: Answer, done: (guest: Guest) => void) {
    this.id = request.id;
    this.token = progressToken(request.params);
    this.request = request;
    this.link = link;
    this.answer = answer;
    this.#done = done;
    const level = metaOf(request.params)[KEY.level];
    if (typeof level === "string")
      this.hearer = { level, who: this, tell: (message) => void this.tell(message) };
  }

  tell(message: string): boolean {
    return this.answer?.tell(message) ?? false;
  }

  end(message: string): void {
    if (this.answer === undefined) this.result = message;
    else {
      this.#done(this);
      this.answer.end(modernResult(message, this.request.method));
    }
  }
}

/**
 * Clients without session, in front of a server with sessions that all share. What the server asks becomes the answer of
 * the call that it needs the answer for; that call stays open until its client comes back.
 */
export class Guests {
  readonly #all = new Set<Guest>();
  readonly logs = new Logs();

  get size(): number {
    return this.#all.size;
  }

  /** Passes a call on. */
  call(request: Request, text: string, link: Link, answer: Answer): Guest {
    const guest = new Guest(request, link, answer, (one) => this.#forget(one));
    this.#all.add(guest);
    if (guest.hearer) this.logs.add(guest.hearer);
    link.call(request, legacyRequest(onOneLine(text)), guest);
    return guest;
  }

  /** The client has gone; it may be back with an answer. */
  left(guest: Guest, answer: Answer): void {
    if (this.#all.has(guest) && guest.answer === answer) this.#giveUp(guest);
  }

  /** A client comes back. A string is why that cannot be. */
  back(request: Request, text: string, answer: Answer): Guest | string {
    const { requestState: state, name, uri } = request.params;
    const guest = [...this.#all].find((one) => one.answer === undefined && one.state === state);
    const known = guest?.request;
    if (guest === undefined || known?.method !== request.method)
      return "it waited too long, or nothing was asked";
    if (known.params.name !== name || known.params.uri !== uri) return "it is another request than before";
    clearTimeout(guest.late);
    guest.answer = answer;
    guest.id = request.id;
    guest.token = progressToken(request.params);
    guest.state = "";
    for (const question of guest.questions.filter(({ isAsked }) => isAsked)) {
      question.isAsked = false;
      const result = rawAt(text, ["params", "inputResponses", question.id]);
      if (result === undefined) continue;
      guest.questions.splice(guest.questions.indexOf(question), 1);
      guest.link.answer(question.id, withMembers(`{"jsonrpc":"2.0","id":""}`, [], { result }));
    }
    if (guest.result !== undefined) guest.end(guest.result);
    else this.#ask(guest);
    return guest;
  }

  /** Whether one of them is the only one for whom the server can have asked. */
  asked(id: string, text: string): boolean {
    const [guest, another] = this.#all;
    const message = readMessage(text);
    if (guest === undefined || another !== undefined || message.kind !== "request") return false;
    if (!canAnswer(metaOf(guest.request.params)[KEY.capabilities], message.method)) return false;
    guest.questions.push({ id, method: message.method, params: rawAt(text, ["params"]), isAsked: false });
    this.#ask(guest);
    return true;
  }

  /** The server wants to know it no more. */
  unasked(id: string): void {
    for (const { questions } of this.#all) {
      const at = questions.findIndex((question) => question.id === id);
      if (at !== -1) questions.splice(at, 1);
    }
  }

  #ask(guest: Guest): void {
    const { answer, questions, id } = guest;
    if (answer === undefined || questions.length === 0) return;
    guest.state = crypto().randomUUID();
    for (const question of questions) question.isAsked = true;
    const inputRequests = questions.map(({ id: key, method, params }) => {
      const question = withMembers("{}", [], { method, params });
      return `${JSON.stringify(key)}:${question}`;
    });
    guest.answer = undefined;
    guest.late = setTimeout(() => this.#giveUp(guest), QUESTION_BOUND);
    const result = withMembers("{}", [], {
      resultType: "input_required",
      inputRequests: new Raw(`{${inputRequests.join(",")}}`),
      requestState: guest.state,
    });
    answer.end(withMembers(doneText(id), [], { result: new Raw(result) }));
  }

  /** Its client does not come back. */
  #giveUp(guest: Guest): void {
    this.#forget(guest);
    for (const { id } of guest.questions)
      guest.link.answer(id, errorText("", RPC.internalError, "the client did not answer"));
    guest.link.cancel(guest, CANCELLED);
  }

  #forget(guest: Guest): void {
    this.#all.delete(guest);
    clearTimeout(guest.late);
    this.logs.delete(guest.hearer);
  }
}
