import { z } from "zod";
import { oneOrMore, oneOrMoreOf, text } from "./input-parts.ts";
import {
  hostAdvice,
  isHostWord,
  isProcessor,
  processorAdvice,
  SYSTEMS,
  systemAdvice,
} from "./machine-words.ts";

const systemError = ({ input }: { readonly input?: unknown }) => systemAdvice(input);
const system = z.enum(SYSTEMS, { error: systemError });
const machineWord = (isRight: (word: string) => boolean, advice: (word: string) => string) =>
  text().refine((word) => word === "" || isRight(word), { error: ({ input }) => advice(String(input)) });

/** On which machines something holds: every given key must match. */
export const whenInput = z.strictObject(
  {
    os: z
      .union([system, z.array(system).min(1, { error: systemError })], { error: systemError })
      .optional()
      .describe("Operating system."),
    arch: oneOrMoreOf(machineWord(isProcessor, processorAdvice))
      .optional()
      .describe("Processor architecture as Node names it, such as `x64` or `arm64`."),
    host: oneOrMoreOf(machineWord(isHostWord, hostAdvice))
      .optional()
      .describe("Short host name in lower case, without the domain."),
    user: oneOrMore.optional().describe("Login name."),
  },
  { error: "write a block with os, arch, host or user" },
);

const whenOfBlock = whenInput.refine((when) => Object.values(when).some((value) => value !== undefined), {
  error: "name at least one of os, arch, host and user",
});

/** The machines of an `on` block, which has to say them. */
export const onWhen = whenOfBlock.describe("Machines on which this block holds; every given key must match.");
