/** What a registry says to a credential; the messages hold nothing secret. */
export type Verdict =
  | { answer: 'accepted' }
  /** It says that the credential is bad; one that was only just made may become good yet. */
  | { answer: 'refused'; message: string }
  /** It could not be asked, or said nothing that tells. */
  | { answer: 'unknown'; message: string };
