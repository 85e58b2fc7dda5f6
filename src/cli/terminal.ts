/** Where a command writes to. */
export interface Terminal {
  /** Result: standard output. */
  write: (text: string) => void;
  /** Everything else: standard error. */
  tell: (text: string) => void;
  /** Whether standard output shows colours: it is a terminal, and NO_COLOR is not set. */
  colour: boolean;
  /** Whether standard error is a terminal, so that a line can take the place of the one before. */
  live: boolean;
}

const COLOURS = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
export type Colour = keyof typeof COLOURS;
/** Paints text where colours are shown, and leaves it elsewhere. */
export type Paint = (colour: Colour, text: string) => string;

export function painter({ colour }: Pick<Terminal, 'colour'>): Paint {
  return (name, text) => (colour && text !== '' ? `\u001b[${COLOURS[name]}m${text}\u001b[0m` : text);
}

const CLEAR_LINE = '\r\u001b[K';

/**
 * Says on standard error how far long work has come. On a terminal each line takes the place of the one before, until `end`; elsewhere,
 * as in the log of a pipeline, every line that differs from the one before stays.
 */
export class Progress {
  readonly #terminal: Terminal;
  #last = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  report(line: string): void {
    if (line === this.#last) return;
    this.#last = line;
    this.#terminal.tell(this.#terminal.live ? `${CLEAR_LINE}${line}` : `${line}\n`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#last !== '' && this.#terminal.live) this.#terminal.tell(CLEAR_LINE);
    this.#last = '';
  }
}
