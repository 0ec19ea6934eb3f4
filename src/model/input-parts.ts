import { z } from "zod";
import { NAME_PATTERN, NAME_RULE } from "./name.ts";
import { asPath, type PathKind } from "./path-text.ts";
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN } from "./units.ts";

/** Scalars that the input schemas are made of. Their `error` texts complete "cannot use … for …: ". */

const MAX_DURATION = "24d";

const inEnglish = (words: readonly string[]) =>
  words
    .map((word) => `"${word}"`)
    .join(", ")
    .replace(/, ([^,]*)$/, " or $1");

/** Not empty. */
export const text = (error = "write text in quotes") =>
  z.string({ error }).min(1, { error: "write at least one character" });
export const pathText = (is: PathKind, error?: string) => asPath(is, text(error));

export const oneOf = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, { error: `write ${inEnglish(words)}` });
export const whole = (min: number, max: number) => {
  const error = `write a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};

export const duration = (() => {
  const error = 'write a duration such as "250ms", "2s" or "1m30s"';
  // Node's timers hold 31 bits of milliseconds: a longer one would fire at once.
  const fits = (value: string) => (parseDuration(value) ?? 0) <= (parseDuration(MAX_DURATION) ?? 0);
  return z
    .string({ error })
    .regex(DURATION_PATTERN, { error, abort: true })
    .refine(fits, { error: `write at most "${MAX_DURATION}"` })
    .meta({ title: "duration" });
})();

export const size = (() => {
  const error = 'write a size such as "64KiB" or "10MiB"';
  const fits = (value: string) => (parseSize(value) ?? 0) >= 1024 && (parseSize(value) ?? 0) <= 2 ** 40;
  return z
    .string({ error })
    .regex(SIZE_PATTERN, { error, abort: true })
    .refine(fits, { error: 'write a size from "1KiB" to "1024GiB"' })
    .meta({ title: "size" });
})();

const nameError = `write a name of ${NAME_RULE}`;
export const serverName = z.string({ error: nameError }).regex(NAME_PATTERN, { error: nameError });

export const textList = z.array(z.string({ error: 'write text in quotes, such as "8080"' }), {
  error: "write a list of texts",
});
export const oneOrMoreOf = <T extends z.ZodType>(one: T) => {
  const error = "write a text or a list of texts";
  return z.union([one, z.array(one).min(1, { error })], { error });
};
export const oneOrMore = oneOrMoreOf(text());

export const port = whole(1, 65535);

export const umaskInput = z
  .string({ error: 'write octal digits in quotes, such as "022"' })
  .regex(/^0?[0-7]{3}$/, { error: 'write octal digits, such as "022"' });

/** A value found elsewhere when the configuration is applied, and kept out of plans. */
const secretReference = (error: string) =>
  z.strictObject(
    {
      secret: z.union(
        [
          z.strictObject({
            env: text().describe("Variable in the environment of the command that applies."),
          }),
          z.strictObject({
            file: pathText("file").describe("File that contains the value; one final line break is removed."),
          }),
          z.strictObject({ command: text().describe("Shell command line whose output is the value.") }),
        ],
        { error: "write exactly one of env, file and command" },
      ),
    },
    { error },
  );

export const secretInput = secretReference("write a text, or a reference to a secret");
/** The same where it may be nothing else. */
export const secretOnly = secretReference("write a reference to a secret, such as a file that holds it");

export type SecretInput = z.input<typeof secretInput>;

const envName = (() => {
  const error = "write a name of letters, digits and _ that does not begin with a digit";
  return z.string({ error }).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error });
})();
export const envInput = z.record(
  envName,
  z.union([z.string(), secretInput], { error: "write text in quotes, so that it stays as it is written" }),
  { error: "write a map of names and texts" },
);
