import { type Message, notificationText, readMessage, requestText } from "../bridge/message.ts";
import { isObject } from "../model/object.ts";
import type { Remote } from "./remote.ts";
import { type Agreed, agreedHeaders, errorIn, headersOf, SESSION_HEADER } from "./rules.ts";
import { why } from "./words.ts";

/** What a client said of itself, and its session at the server. A server that lost the session is told all of it again. */

/** Most subscriptions that are remembered. */
const MOST_SUBSCRIPTIONS = 1000;
/** For each message of that, ms. */
const RENEW_BOUND = 30_000;
/** Longest wait for a server to end a session, ms. */
const END_BOUND = 1000;

type Params = Readonly<Record<string, unknown>>;

/** Kinds of lists, by the capability that says that the server tells of changes. */
const LISTS = ["tools", "resources", "prompts"] as const;

export class Session {
  readonly #remote: Remote;
  readonly #name: string;
  readonly #pass: (text: string) => Promise<void> | undefined;
  #agreed: Agreed = {};
  #introduction: Params | undefined;
  #capabilities: Params = {};
  #level: Params | undefined;
  readonly #subscriptions = new Set<string>();
  #renewing: Promise<string | undefined> | undefined;
  #counter = 0;

  /** `pass`: hands a message to the client. */
  constructor(name: string, remote: Remote, pass: (text: string) => Promise<void> | undefined) {
    this.#name = name;
    this.#remote = remote;
    this.#pass = pass;
  }

  get agreed(): Agreed {
    return this.#agreed;
  }

  /** The server has answered the client's `initialize`. */
  begin(introduction: Params, result: unknown, session: string | undefined): void {
    this.#introduction = introduction;
    const { protocolVersion, capabilities } = isObject(result) ? result : {};
    this.#capabilities = isObject(capabilities) ? capabilities : {};
    this.#agreed = { session, version: typeof protocolVersion === "string" ? protocolVersion : undefined };
    this.#level = undefined;
    this.#subscriptions.clear();
  }

  /** Remembers what a later server has to be told again. */
  note(message: Message): void {
    if (message.kind !== "request") return;
    const { method, params } = message;
    if (method === "logging/setLevel") this.#level = params;
    if (typeof params.uri !== "string") return;
    if (method === "resources/unsubscribe") this.#subscriptions.delete(params.uri);
    if (method === "resources/subscribe" && this.#subscriptions.size < MOST_SUBSCRIPTIONS)
      this.#subscriptions.add(params.uri);
  }

  /** Opens another session in the place of a lost one, once for all who miss it. Answers why it could not. */
  renew(lost: Agreed): Promise<string | undefined> {
    if (this.#agreed !== lost) return Promise.resolve(undefined);
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<string | undefined> {
    if (this.#introduction === undefined) return `${this.#name} does not know the session`;
    let session: string | undefined;
    const answer = await this.#ask("initialize", this.#introduction, (given) => {
      session = given;
    });
    if (typeof answer === "string") return answer;
    const { protocolVersion: version } = isObject(answer.result) ? answer.result : {};
    if (typeof version !== "string") return `${this.#name} did not take the client back`;
    this.#agreed = { session, version };
    await this.#post(notificationText("notifications/initialized"));
    if (this.#level) await this.#ask("logging/setLevel", this.#level);
    for (const uri of this.#subscriptions) await this.#ask("resources/subscribe", { uri });
    for (const list of LISTS) {
      const capability = this.#capabilities[list];
      // It may be another server than it was.
      if (isObject(capability) && capability.listChanged === true)
        await this.#pass(notificationText(`notifications/${list}/list_changed`));
    }
    return undefined;
  }

  /** Asks something of xy's own. A string is why there is no answer. */
  async #ask(
    method: string,
    params: Params,
    opened: (session: string | undefined) => void = () => {},
  ): Promise<{ readonly result: unknown } | string> {
    const id = `xy-connect-${++this.#counter}`;
    const text = requestText(id, method, params);
    let answer: string | undefined;
    const ended = await this.#remote.send({
      method: "POST",
      headers: headersOf({ kind: "request", id, method, params }, this.#agreed),
      body: text,
      signal: AbortSignal.timeout(RENEW_BOUND),
      opened: (headers) => opened(headers[SESSION_HEADER.toLowerCase()]?.toString()),
      message: (said) => {
        const message = readMessage(said);
        if (message.kind !== "response") return this.#pass(said);
        answer = said;
        return undefined;
      },
    });
    if (answer === undefined) return why(this.#name, ended);
    return errorIn(answer)?.message ?? { result: (JSON.parse(answer) as { result: unknown }).result };
  }

  async #post(text: string): Promise<void> {
    await this.#remote.send({
      method: "POST",
      headers: agreedHeaders(this.#agreed),
      body: text,
      signal: AbortSignal.timeout(RENEW_BOUND),
      message: this.#pass,
    });
  }

  /** Tells the server, if it is there, that nobody needs the session any more. */
  async end(): Promise<void> {
    if (this.#agreed.session === undefined) return;
    await this.#remote.sendThere({
      method: "DELETE",
      headers: agreedHeaders(this.#agreed),
      signal: AbortSignal.timeout(END_BOUND),
      message: () => undefined,
    });
  }
}
