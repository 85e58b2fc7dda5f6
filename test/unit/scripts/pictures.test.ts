import { glob, readdir, readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { drawDashboard } from '../../../scripts/pictures/dashboard.ts';
import { drawGraph } from '../../../scripts/pictures/graph.ts';

const PICTURES = 'docs/pictures';
const GRAPH = 'digraph { graph [title="A & B", description="From A to B."] node [fontname=Arial] a -> b }';

async function failureOf(drawing: Promise<string>): Promise<string> {
  return drawing.then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );
}

describe('a picture of the documentation', () => {
  it('has a title and a description for screen readers, and a white background', async () => {
    const svg = await drawGraph(GRAPH);
    expect(svg).to.include('<title id="title">A &amp; B</title>');
    expect(svg).to.include('<desc id="description">From A to B.</desc>');
    expect(svg).to.match(/<rect width="100%" height="100%" fill="white"\/>/);
  });

  it('names no node of its source in a tooltip', async () => {
    expect([...(await drawGraph(GRAPH)).matchAll(/<title/g)]).to.have.length(1);
  });

  it('is refused without a title, in a font that was not measured, and with a mistake', async () => {
    expect(await failureOf(drawGraph('digraph { a }'))).to.include('lacks a title');
    expect(await failureOf(drawGraph(GRAPH.replace('[fontname=Arial]', '[fontname=Times]')))).to.include(
      'Times',
    );
    expect(await failureOf(drawGraph('digraph {'))).to.match(/^Graphviz: /);
  });

  it('is shown by a page', async () => {
    const pages: string[] = [];
    for await (const page of glob(['README.md', 'docs/**/*.md'])) pages.push(await readFile(page, 'utf8'));
    const pictures = (await readdir(PICTURES)).filter((name) => name.endsWith('.svg'));
    expect(pictures).to.have.length.above(2);
    for (const picture of pictures)
      expect(
        pages.some((page) => page.includes(`pictures/${picture})`)),
        picture,
      ).to.equal(true);
  });

  it('of a dashboard has each of its panels', () => {
    const panel = (title: string, type: string, y: number) => ({
      title,
      type,
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    const svg = drawDashboard({ title: 'D', panels: [panel('Rows', 'row', 0), panel('<Queue>', 'stat', 1)] });
    expect(svg).to.include('>Rows</text>').and.to.include('>&lt;Queue&gt;</text>');
  });
});

describe('the picture of the architecture', () => {
  it('has every controller and every back end', async () => {
    const svg = await readFile(`${PICTURES}/architecture.svg`, 'utf8');
    const controllers = await foldersOf('src/controller');
    const backEnds: string[] = [];
    const table = await readFile('src/registry/backends.ts', 'utf8');
    for (const [, folder = ''] of table.matchAll(/from '\.\/([\w-]+)\/\1\.ts'/g)) backEnds.push(folder);
    expect(backEnds).to.include('harbor');
    for (const name of [...controllers.filter((folder) => folder !== 'shared'), ...backEnds])
      expect(svg.includes(`>${name}</text>`), name).to.equal(true);
  });
});

async function foldersOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
