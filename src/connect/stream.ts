import type { Remote } from "./remote.ts";
import { agreedHeaders, isUnknownSession } from "./rules.ts";
import type { Session } from "./session.ts";

/** What the server says of its own accord comes on a stream, which is opened again whenever it ends. */

/** Wait before it is opened again, ms; doubled each time that it could not be. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;

export class Stream {
  readonly #remote: Remote;
  readonly #session: Session;
  readonly #heard: (text: string) => Promise<void> | undefined;
  readonly #closed = new AbortController();
  #isRunning = false;
  #wake: () => void = () => {};

  constructor(remote: Remote, session: Session, heard: (text: string) => Promise<void> | undefined) {
    this.#remote = remote;
    this.#session = session;
    this.#heard = heard;
  }

  /** Opens it, or ends the wait: the server was seen. */
  open(): void {
    this.#wake();
    if (this.#isRunning || this.#closed.signal.aborted) return;
    this.#isRunning = true;
    void this.#keep().finally(() => {
      this.#isRunning = false;
    });
  }

  /** The server is there: if the stream waits to be opened, it need not. */
  seen(): void {
    this.#wake();
  }

  close(): void {
    this.#closed.abort();
    this.#wake();
  }

  async #keep(): Promise<void> {
    let wait = FIRST_WAIT;
    let lastId: string | undefined;
    let wasRenewed = false;
    while (!this.#closed.signal.aborted) {
      const { agreed } = this.#session;
      const ended = await this.#remote.sendThere({
        method: "GET",
        headers: { ...agreedHeaders(agreed), ...(lastId === undefined ? {} : { "Last-Event-ID": lastId }) },
        signal: this.#closed.signal,
        opened: () => {
          wait = FIRST_WAIT;
          wasRenewed = false;
        },
        message: this.#heard,
      });
      if (ended.kind === "refused") {
        const { status, body } = ended;
        const isLost = agreed.session !== undefined && isUnknownSession(status, body);
        if (isLost && !wasRenewed) {
          wasRenewed = true;
          lastId = undefined;
          if ((await this.#session.renew(agreed)) === undefined) continue;
        } else if (status < 500 && status !== 409 && status !== 429) return;
      }
      const { lastId: newest = lastId, retry = 0 } =
        ended.kind === "over" || ended.kind === "broken" ? ended : {};
      if (this.#session.agreed === agreed) lastId = newest;
      await this.#pause(Math.min(Math.max(wait, retry), LONGEST_WAIT));
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#closed.signal.aborted) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).then(() => {
      this.#wake = () => {};
    });
  }
}
