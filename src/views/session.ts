import type { StateName } from "../model/observed.ts";
import { SESSION_OVER } from "../model/starter.ts";
import { visible } from "../model/visible.ts";
import { type LineScreen, type LogLine, named, shownLine } from "./logs.ts";
import { painter } from "./screen.ts";

/** Formats the output of a session (`xy up`): each line with the aligned name of its server, in a colour of its own. */
export interface SessionFormat {
  line(line: LogLine): string;
  /** A change of state, dim among the output. Undefined if it is not worth showing. */
  state(name: string, state: StateName, reason: string | undefined): string | undefined;
  removed(name: string): string;
}

export function sessionFormat(names: readonly string[], screen: LineScreen): SessionFormat {
  const paint = painter(screen);
  const format = named(names, paint);
  const remark = (name: string, text: string) =>
    format({ name, stream: "stdout", line: paint("dim", visible(text)) });
  return {
    line: (line) => format(shownLine(line, screen)),
    state: (name, state, reason) => {
      if (state === "starting") return undefined;
      // The reader has just ended the session.
      const isKnown = reason === undefined || reason === SESSION_OVER;
      return remark(name, isKnown ? state : `${state}: ${reason}`);
    },
    removed: (name) => remark(name, "removed"),
  };
}

export interface SessionOutcome {
  readonly stopped: readonly string[];
  readonly failed: readonly { readonly name: string; readonly message: string }[];
  /** Running servers that do not belong to the session. */
  readonly left: readonly string[];
}

/** The summary of an ended session: what it stopped and what it left running. Without newline. */
export function sessionSummary({ stopped, failed, left }: SessionOutcome): string {
  const words = [
    stopped.length === 0 ? "Nothing was stopped." : `Stopped ${[...stopped].sort().join(", ")}.`,
    ...failed.map(({ message }) => `${message}.`),
    ...(left.length === 0
      ? []
      : [`Left running, because this session did not start them: ${[...left].sort().join(", ")}.`]),
  ];
  return visible(words.join(" "));
}
