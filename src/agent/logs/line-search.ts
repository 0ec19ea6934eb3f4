import { setImmediate as nextTurn } from "node:timers/promises";
import { type Expression, LONGEST_MATCHED } from "../../model/expression.ts";

/** Characters that are matched in one turn of the event loop: a flood of lines must not keep others waiting. */
export const A_TURN = 16 * 1024;
/** Characters that may wait. What comes on top of that is counted, and read from the log once there is room. */
const MOST_WAITING = 1024 * 1024;

/** Looks for the first line that matches among those that come, some in each turn of the event loop. */
export class LineSearch {
  readonly #expression: Expression;
  readonly #last: (count: number) => readonly string[];
  readonly #found: (line: string) => void;
  #waiting: string[] = [];
  #size = 0;
  #behind = 0;
  #isRunning = false;
  #isOver = false;

  /** `last`: so many of the newest lines of the log, in their order, at most as many as it has. */
  constructor(
    expression: Expression,
    last: (count: number) => readonly string[],
    found: (line: string) => void,
  ) {
    this.#expression = expression;
    this.#last = last;
    this.#found = found;
  }

  take(line: string): void {
    if (this.#isOver) return;
    if (this.#behind > 0 || this.#size > MOST_WAITING) this.#behind++;
    else this.#add(line);
    void this.#run();
  }

  end(): void {
    this.#isOver = true;
    this.#waiting = [];
  }

  #add(line: string): void {
    const matched = line.slice(0, LONGEST_MATCHED);
    this.#waiting.push(matched);
    // An empty line is some work, too.
    this.#size += matched.length + 1;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    do {
      // Also before the first line: its sender has not continued yet.
      await nextTurn();
      this.#turn();
      if (this.#waiting.length === 0) this.#catchUp();
    } while (!this.#isOver && this.#waiting.length > 0);
    this.#isRunning = false;
  }

  #turn(): void {
    let done = 0;
    let count = 0;
    for (const line of this.#waiting) {
      if (done >= A_TURN || this.#isOver) break;
      done += line.length + 1;
      count++;
      if (!this.#expression.test(line)) continue;
      this.end();
      this.#found(line);
      return;
    }
    this.#waiting = this.#waiting.slice(count);
    this.#size -= done;
  }

  #catchUp(): void {
    const behind = this.#behind;
    this.#behind = 0;
    if (behind > 0) for (const line of this.#last(behind)) this.#add(line);
  }
}

/** The first of these lines that matches. */
export async function firstMatch(
  expression: Expression,
  lines: readonly string[],
): Promise<string | undefined> {
  let since = 0;
  for (const line of lines) {
    if (expression.test(line)) return line;
    since += Math.min(line.length, LONGEST_MATCHED) + 1;
    if (since < A_TURN) continue;
    since = 0;
    await nextTurn();
  }
  return undefined;
}
