import type { Transport } from '../transport/transport.ts';

/**
 * A transport that changes nothing unless this process leads: reads pass, writes ask in the moment they are sent. A process
 * that was frozen in the middle of its work goes on where it stopped when it wakes up, and must not finish what another has
 * taken over.
 * @param assertLeader throws LeadershipLost when another may lead
 */
export function fenced(transport: Transport, assertLeader: () => void): Transport {
  return {
    request: (call) => transport.request(call.method === 'GET' ? call : { ...call, guard: assertLeader }),
    stream: (call) => transport.stream(call),
    close: () => transport.close(),
  };
}
