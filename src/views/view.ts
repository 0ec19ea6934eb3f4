type Text = string | undefined;

/** How a command's result is shown. The command decides which of the two a person, or a program, gets. */
export interface View<D> {
  /** For people. Undefined: there is nothing to show. */
  readonly text: (document: D) => Text | Promise<Text>;
  /** With `--json`. Absent: the document as it is. */
  readonly json?: (document: D) => unknown;
  /** Lines for people beside the text, shown before it. */
  readonly warnings?: (document: D) => readonly string[];
  /** The same, shown after it. */
  readonly notes?: (document: D) => readonly string[];
}
