/** This process no longer leads: another may have taken over, so nothing more may be done. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}
