import { isObject } from "../../model/object.ts";

/** What a server may ask a client, and what the client has to be able to do for it. */
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["roots/list", "roots"],
]);

/** Whether a client with these capabilities can be asked that. */
export function canAnswer(capabilities: unknown, method: unknown): boolean {
  const needed = CAPABILITIES.get(String(method));
  return needed !== undefined && isObject(capabilities) && isObject(capabilities[needed]);
}

/** People answer questions: that takes its time, ms. */
export const QUESTION_BOUND = 600_000;
/** Times that one call may ask, and questions at a time. */
export const MOST_ROUNDS = 10;
export const MOST_QUESTIONS = 16;
