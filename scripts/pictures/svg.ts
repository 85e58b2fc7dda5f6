/** What every picture has in common: fonts as wide as the one that Graphviz measures, and a title and a description for screen readers. */

export const FONTS = "Helvetica,Arial,'Liberation Sans',sans-serif";

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export interface Described {
  title: string;
  description: string;
  /** in the units of the picture's elements */
  width: number;
  height: number;
  unit: 'px' | 'pt';
}

/** A whole SVG document. @param body elements, drawn on white whatever the page's background is */
export function svgDocument({ title, description, width, height, unit }: Described, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}${unit}" height="${height}${unit}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(description)}</desc>
<rect width="100%" height="100%" fill="white"/>
${body}
</svg>
`;
}
