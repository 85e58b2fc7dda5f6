import type { RawAnswer } from './answer.ts';
import { RowSplitter, type Rows, type RowSelection } from '../../common/row-splitter.ts';

/** How the body of an answer is to be read. */
export interface BodyLimits {
  /** Bytes of the body beyond which it is given up. */
  maxBody: number;
  /** What is to be handed over row by row, if the answer is a success; the rest is kept as it is. */
  rows?: RowSelection | undefined;
}

const NO_ROWS: Rows = { count: 0, kept: [] };

/** Takes in the body of one answer as it arrives. */
export class AnswerBody {
  readonly #maxBody: number;
  readonly #splitter: RowSplitter | undefined;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(status: number, { maxBody, rows }: BodyLimits) {
    this.#maxBody = maxBody;
    this.#splitter = rows && status >= 200 && status < 300 ? new RowSplitter(rows) : undefined;
  }

  /** Why nothing that follows can make it an answer that makes sense. */
  get flaw(): RawAnswer['flaw'] {
    return this.#size > this.#maxBody ? 'is too long' : this.#splitter?.flaw;
  }

  take(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.flaw) return;
    if (this.#splitter) this.#splitter.take(chunk);
    else this.#chunks.push(chunk);
  }

  /** What was taken in so far. */
  get content(): Pick<RawAnswer, 'body' | 'rows' | 'flaw'> {
    const body = this.#splitter?.frame ?? Buffer.concat(this.#chunks);
    return { body, rows: this.#splitter?.rows ?? NO_ROWS, flaw: this.flaw };
  }
}
