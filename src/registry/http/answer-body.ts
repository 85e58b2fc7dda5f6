import type { RawAnswer } from './answer.ts';
import { RowSplitter, type Rows, type RowSelection } from '../../common/row-splitter.ts';

/** How the body of an answer is to be read. */
export interface BodyLimits {
  /** Longest body that is read, in bytes. */
  maxBody: number;
  /** Rows to read one by one if the answer is a success; the rest of the body is kept. */
  rows?: RowSelection | undefined;
}

const NO_ROWS: Rows = { count: 0, kept: [] };

/** Collects the body of one answer as it arrives. */
export class AnswerBody {
  readonly #maxBody: number;
  readonly #splitter: RowSplitter | undefined;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(status: number, { maxBody, rows }: BodyLimits) {
    this.#maxBody = maxBody;
    this.#splitter = rows && status >= 200 && status < 300 ? new RowSplitter(rows) : undefined;
  }

  /** Why the rest of the body need not be read: it can't become valid any more. */
  get flaw(): RawAnswer['flaw'] {
    return this.#size > this.#maxBody ? 'is too long' : this.#splitter?.flaw;
  }

  take(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.flaw) return;
    if (this.#splitter) this.#splitter.take(chunk);
    else this.#chunks.push(chunk);
  }

  /** What has arrived so far. */
  get content(): Pick<RawAnswer, 'body' | 'rows' | 'flaw'> {
    const body = this.#splitter?.frame ?? Buffer.concat(this.#chunks);
    return { body, rows: this.#splitter?.rows ?? NO_ROWS, flaw: this.flaw };
  }
}
