import { expect } from 'chai';
import { readOptions } from '../../../bench/options.ts';

describe('the options of the bench', () => {
  it('measures everything three times unless told', () => {
    expect(readOptions([])).to.deep.equal({
      options: { scenarios: [], rounds: 3, foreign: 30_000, workers: 8, nodeFlag: [] },
    });
  });

  it('takes scenarios and numbers', () => {
    const argv = ['burst', 'idle', '--count', '50', '--rounds=1', '--node-flag=--a', '--node-flag=--b'];
    const parsed = readOptions(argv);
    expect(parsed).to.have.nested.property('options.scenarios').that.deep.equals(['burst', 'idle']);
    expect(parsed).to.have.nested.property('options.count', 50);
    expect(parsed).to.have.nested.property('options.nodeFlag').that.deep.equals(['--a', '--b']);
  });

  it('refuses a scenario that there is not, and a number that is none', () => {
    expect(readOptions(['bursts'])).to.deep.equal({
      exit: 2,
      output: 'bench: there is no scenario bursts; see --help\n',
    });
    expect(readOptions(['--count', '0'])).to.have.property('exit', 2);
  });

  it('lists the scenarios in its help', () => {
    const parsed = readOptions(['--help']);
    expect(parsed).to.have.property('exit', 0);
    expect(parsed).to.have.property('output').that.contains('restart');
  });
});
