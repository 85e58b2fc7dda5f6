/** Failed assertions show whole values: what is cut short can't be looked up after a run. Loaded before the tests (.mocharc.json). */
import { config } from 'chai';

config.truncateThreshold = 0;
