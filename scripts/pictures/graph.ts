import { instance } from '@viz-js/viz';
import { FONTS, svgDocument } from './svg.ts';

/** The one font of which Graphviz knows the widths and which every reader has, or one as wide. */
const MEASURED_FONT = 'Arial';

/**
 * @param source a graph in Graphviz's language, with two attributes of its own: `title` and `description`
 * @throws Error for a source that Graphviz warns about, that lacks one of the two, or that uses another font
 */
export async function drawGraph(source: string): Promise<string> {
  const viz = await instance();
  const { status, output, errors } = viz.renderFormats(source, ['svg', 'json0']);
  if (status === 'failure' || errors.length > 0)
    throw new Error(`Graphviz: ${errors.map(({ message }) => message).join('; ')}`);
  const { title, description } = JSON.parse(output['json0'] ?? '') as {
    title?: string;
    description?: string;
  };
  if (!title || !description) throw new Error('the graph lacks a title or a description');
  const svg = output['svg'] ?? '';
  const [, width, height] = /<svg width="(\d+)pt" height="(\d+)pt"/.exec(svg) ?? [];
  const [, body] = /<svg[^>]*>([^]*)<\/svg>/.exec(svg) ?? [];
  if (!width || !height || !body) throw new Error('Graphviz drew something else than one SVG');
  const fonts = new Set([...body.matchAll(/font-family="([^"]*)"/g)].map(([, font]) => font));
  if ([...fonts].some((font) => font !== MEASURED_FONT))
    throw new Error(`the graph uses other fonts than ${MEASURED_FONT}: ${[...fonts].join(', ')}`);
  const drawn = body
    // Its titles are the names of nodes in the source, which browsers show as tooltips.
    .replaceAll(/<title>.*<\/title>\n?/g, '')
    .replaceAll(/<!--[^]*?-->\n?/g, '')
    .replaceAll('&#45;', '-')
    .replaceAll(`font-family="${MEASURED_FONT}"`, `font-family="${FONTS}"`)
    .trim();
  return svgDocument({ title, description, width: Number(width), height: Number(height), unit: 'pt' }, drawn);
}
