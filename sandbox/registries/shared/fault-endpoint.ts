import { FaultError, parseFault } from './fault.ts';
import type { Faults } from './faults.ts';
import { text, type Answer, type Request } from './message.ts';

export const FAULTS_PATH = '/_faults';

/** POST adds one fault (JSON), or none with the reason why not; DELETE clears them all. */
export function answerFaultRequest(faults: Faults, request: Request): Answer {
  if (request.method === 'DELETE') {
    faults.clear();
    return { status: 204, headers: {}, body: '' };
  }
  if (request.method !== 'POST') return text(405, 'POST adds a fault, DELETE clears them all');
  try {
    faults.add(parseFault(JSON.parse(request.body), faults.operations));
    return { status: 204, headers: {}, body: '' };
  } catch (error) {
    if (error instanceof SyntaxError) return text(400, 'a fault has to be JSON');
    if (error instanceof FaultError) return text(400, error.message);
    throw error;
  }
}
