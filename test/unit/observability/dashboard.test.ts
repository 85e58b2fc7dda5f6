import { expect } from 'chai';
import { readDashboard, type Dashboard, type Panel } from '../../observability/support/queries.ts';

const WIDTH = 24;

describe('dashboard', () => {
  let dashboard: Dashboard;
  let panels: Panel[];
  before(async () => {
    dashboard = await readDashboard();
    panels = dashboard.panels.filter(({ type }) => type !== 'row');
  });

  it('answers its questions in this order', () => {
    expect(dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).to.deep.equal([
      'Is anything about to expire?',
      'What failed?',
      'How busy is each registry?',
      'Does the operator keep up?',
    ]);
  });

  it('has panels that each say what they show', () => {
    for (const { title, description, targets } of panels) {
      expect(description, title).to.match(/\.$/);
      expect(targets, title).not.to.be.empty;
    }
    const titles = panels.map(({ title }) => title);
    expect(titles).to.deep.equal([...new Set(titles)]);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(ids).to.deep.equal([...new Set(ids)]);
  });

  it('asks the data source that is chosen, and knows every variable it uses', () => {
    const known = ['__rate_interval', ...dashboard.templating.list.map(({ name }) => name)];
    for (const [, name] of JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)) expect(name).to.be.oneOf(known);
    for (const { title, datasource, targets = [] } of panels) {
      for (const source of [datasource, ...targets.map((target) => target.datasource)]) {
        expect(source, title).to.include({ uid: '${datasource}' });
      }
    }
  });

  it('has its panels side by side', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).to.be.at.most(WIDTH);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x}/${y}`), `${title} covers another panel`).to.be.false;
          taken.add(`${x}/${y}`);
        }
      }
    }
  });
});
