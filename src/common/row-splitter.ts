/** What of a document is handed over piece by piece. */
export interface RowSelection {
  /** Key, in the document's top-level object, of the array whose objects are the rows. */
  key: string;
  /** Called with each row, parsed, as soon as it is complete. What it returns is kept, unless it is undefined. */
  select: (row: unknown) => unknown;
  /** Rows beyond which the document is given up; MAX_ROWS unless told. */
  maxRows?: number;
  /** Bytes of one row beyond which it is; a mebibyte unless told. */
  maxRow?: number;
}

/** The rows of a document. */
export interface Rows {
  /** How many there were. */
  count: number;
  /** What `select` returned of them. */
  kept: readonly unknown[];
}

/** Rows beyond which a document is given up: what is kept of so many fits beside everything else in 256 MiB. */
export const MAX_ROWS = 250_000;
/** Bytes of one row. */
const MAX_ROW = 2 ** 20;
/** Bytes of everything around the rows: three for each, and what else there is. */
const MAX_FRAME = 2 ** 22;

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
/** Depth of the elements of an array in the top-level object. */
const ROW_DEPTH = 2;

/**
 * Splits a JSON document into rows and its frame while it arrives, so that it never has to be in memory as a whole. The
 * frame is the document with `{}` in place of each row; whether it is JSON says whether the whole document is.
 */
export class RowSplitter {
  readonly #kept: unknown[] = [];
  readonly #selection: RowSelection;
  #frame = Buffer.alloc(4096);
  #frameSize = 0;
  /** Parts of a row that began in an earlier chunk. */
  #row: Buffer[] = [];
  #rowSize = 0;
  #count = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Whether the array that is open at the depth of rows is the one of the selection. */
  #inSelection = false;
  #inRow = false;
  #flaw: 'is not JSON' | 'is too long' | undefined;

  constructor(selection: RowSelection) {
    this.#selection = selection;
  }

  /** What is wrong with the document so far; nothing that follows can mend it. */
  get flaw(): 'is not JSON' | 'is too long' | undefined {
    return this.#flaw;
  }

  get rows(): Rows {
    return { count: this.#count, kept: this.#kept };
  }

  /** The document with `{}` in place of each row. */
  get frame(): Buffer {
    return this.#frame.subarray(0, this.#frameSize);
  }

  take(chunk: Buffer): void {
    if (this.#flaw) return;
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (byte === OPEN_OBJECT && this.#inSelection && this.#depth === ROW_DEPTH) {
          this.#toFrame(chunk.subarray(start, at));
          start = at;
          this.#inRow = true;
        } else if (byte === OPEN_ARRAY && this.#depth === ROW_DEPTH - 1) {
          this.#toFrame(chunk.subarray(start, at));
          start = at;
          this.#inSelection = this.#followsKey();
        }
        this.#depth++;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.#depth--;
        if (this.#inRow && this.#depth === ROW_DEPTH) {
          this.#endRow(chunk.subarray(start, at + 1));
          start = at + 1;
        } else if (this.#depth < ROW_DEPTH) this.#inSelection = false;
      }
      if (this.#flaw) return;
    }
    const rest = chunk.subarray(start);
    if (this.#inRow) this.#toRow(rest);
    else this.#toFrame(rest);
  }

  /** Whether the frame ends with the selection's key: `{ … , "key" :`. A quote that is escaped follows a backslash. */
  #followsKey(): boolean {
    const key = JSON.stringify(this.#selection.key);
    const tail = this.frame.subarray(-256).toString('latin1').trimEnd();
    if (tail.charCodeAt(tail.length - 1) !== COLON) return false;
    const before = tail.slice(0, -1).trimEnd();
    return before.endsWith(key) && /[{,]$/.test(before.slice(0, -key.length).trimEnd());
  }

  #toFrame(bytes: Buffer): void {
    const size = this.#frameSize + bytes.length;
    if (size > MAX_FRAME) {
      this.#flaw = 'is too long';
      return;
    }
    if (size > this.#frame.length)
      this.#frame = Buffer.concat([this.frame], Math.max(size, 2 * this.#frame.length));
    bytes.copy(this.#frame, this.#frameSize);
    this.#frameSize = size;
  }

  #toRow(bytes: Buffer): void {
    this.#rowSize += bytes.length;
    if (this.#rowSize > (this.#selection.maxRow ?? MAX_ROW)) this.#flaw = 'is too long';
    else this.#row.push(bytes);
  }

  #endRow(bytes: Buffer): void {
    this.#toRow(bytes);
    if (++this.#count > (this.#selection.maxRows ?? MAX_ROWS)) this.#flaw = 'is too long';
    if (this.#flaw) return;
    const text = (this.#row.length === 1 ? bytes : Buffer.concat(this.#row)).toString();
    this.#row = [];
    this.#rowSize = 0;
    this.#inRow = false;
    this.#toFrame(PLACEHOLDER);
    let row: unknown;
    try {
      row = JSON.parse(text);
    } catch {
      this.#flaw = 'is not JSON';
      return;
    }
    const kept = this.#selection.select(row);
    if (kept !== undefined) this.#kept.push(kept);
  }
}

/** Unlike a number, it can't join what stands beside it to something that is JSON. */
const PLACEHOLDER = Buffer.from('{}');
