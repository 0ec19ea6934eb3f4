/** The regular expression of a pattern; undefined for what is none in this version, whatever an earlier one took. */
export function expressionOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}

/** Why a server with such a pattern is not ready. */
export const UNUSABLE = "its pattern is not a regular expression that this version of xy can use; change it";
