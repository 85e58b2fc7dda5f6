import { escaped, FONTS, svgDocument } from './svg.ts';

interface Panel {
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
}

/** Of a Grafana dashboard's grid, in CSS pixels; the grid has 24 columns. */
const COLUMN = 35;
const ROW = 10;
const COLUMNS = 24;
const GAP = 3;
const HEADING = 34;

const text = (x: number, y: number, size: number, colour: string, words: string, weight = 'normal'): string =>
  `<text x="${x}" y="${y}" font-family="${FONTS}" font-size="${size}" font-weight="${weight}" fill="${colour}">${escaped(words)}</text>`;

function drawPanel({ title, type, gridPos: { x, y, w, h } }: Panel): string {
  const left = x * COLUMN + GAP;
  const top = y * ROW + HEADING + GAP;
  if (type === 'row') return text(left, top + 7, 13, '#0550ae', title, 'bold');
  return [
    `<rect x="${left}" y="${top}" width="${w * COLUMN - 2 * GAP}" height="${h * ROW - 2 * GAP}" rx="4" fill="#f6f8fa" stroke="#8c959f"/>`,
    text(left + 8, top + 14, 12, '#1f2328', title),
    text(left + 8, top + 28, 11, '#57606a', type),
  ].join('\n');
}

/** Rows and panels of a Grafana dashboard as they lie on the screen; not what they show. @param dashboard Grafana's JSON */
export function drawDashboard({ title, panels }: { title: string; panels: readonly Panel[] }): string {
  const rows = panels.filter(({ type }) => type === 'row').map((panel) => panel.title);
  const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return svgDocument(
    {
      title: `Layout of the dashboard "${title}"`,
      description: `Rows and panels of the Grafana dashboard, without data. The rows are: ${rows.join(' ')}`,
      width: COLUMNS * COLUMN,
      height: HEADING + bottom * ROW + GAP,
      unit: 'px',
    },
    [
      text(GAP, 22, 14, '#1f2328', `${title}: layout, without data`, 'bold'),
      ...panels.map((panel) => drawPanel(panel)),
    ].join('\n'),
  );
}
