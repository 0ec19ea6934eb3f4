import type { Redactor } from "../../model/redact.ts";
import type { LogLine } from "./log-record.ts";

type Redacting = Pick<Redactor, "text" | "unfinished" | "longest">;

/** Lines as they are shown, one after another: without secrets, also those that the pieces of a long line share. */
export class ShownLines {
  readonly #redactor: Redacting | undefined;
  /** What may be the beginning of a secret that continues in the next piece of a long line, by stream. */
  readonly #held: Record<LogLine["stream"], string> = { out: "", err: "" };
  #heldAt = 0;

  constructor(redactor: Redacting | undefined) {
    this.#redactor = redactor;
  }

  text({ at, stream, bytes, split, unfinished }: LogLine): string {
    const text = bytes.toString("utf8");
    const longest = this.#redactor?.longest ?? 0;
    if (this.#redactor === undefined || longest === 0) return text;
    if (unfinished) return this.#redactor.unfinished(this.#held[stream] + text);
    const whole = this.#redactor.text(this.#held[stream] + text);
    const kept = split ? Math.min(whole.length, longest - 1) : 0;
    this.#held[stream] = whole.slice(whole.length - kept);
    if (split) this.#heldAt = at;
    return whole.slice(0, whole.length - kept);
  }

  /** Whether something of these lines is left out, or something before them is held back. */
  hasSecret(bytes: Buffer): boolean {
    if (this.#redactor === undefined || this.#redactor.longest === 0) return false;
    const text = bytes.toString("utf8");
    return this.#held.out + this.#held.err !== "" || this.#redactor.text(text) !== text;
  }

  /** What is held back. The rest of its line has not come, and will not. */
  rest(): { readonly at: number; readonly stream: LogLine["stream"]; readonly text: string }[] {
    return (["out", "err"] as const).flatMap((stream) => {
      const text = this.#held[stream];
      this.#held[stream] = "";
      return text === "" ? [] : [{ at: this.#heldAt, stream, text }];
    });
  }
}
