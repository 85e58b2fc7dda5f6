import { expect } from 'chai';
import { readCpu, readMachineCpu, readMemory } from '../../../bench/measure/process-usage.ts';

const stat = (name: string): string =>
  `4711 (${name}) S 1 4711 4711 0 -1 4194560 25000 0 10 0 150 50 3 4 20 0 11 0 12345 1000000 30000 0`;

describe('readCpu', () => {
  it('adds up the time in the process and in the kernel for it, in milliseconds', () => {
    expect(readCpu(stat('node'))).to.equal(2_000);
  });

  it('is not misled by the name of the program', () => {
    expect(readCpu(stat('no de) S 1 (x'))).to.equal(2_000);
  });
});

describe('readMemory', () => {
  it('gives what the process has and the most it had, in bytes', () => {
    const status = ['Name:\tnode', 'VmPeak:\t  999 kB', 'VmHWM:\t  2048 kB', 'VmRSS:\t  1024 kB', ''].join(
      '\n',
    );
    expect(readMemory(status)).to.deep.equal({ rss: 2 ** 20, peak: 2 ** 21 });
  });
});

describe('readMachineCpu', () => {
  it('adds up what all processors did, without waiting and what the host took', () => {
    const text = 'cpu  100 20 30 4000 500 6 7 80 0 0\ncpu0 50 10 15 2000 250 3 3 40 0 0\n';
    expect(readMachineCpu(text)).to.equal(1_630);
  });
});
