/** What docs/kubectl-plugin.md shows of the plugin: command lines, before an API server that is a table of answers. */
import { CliStage, listOf, type Answers } from './cli-stage.ts';
import { around, PATHS, pod, readyToken, ROTATED, troubled, event } from './objects.ts';

interface Sample {
  /** Behind `kubectl registrytoken`. */
  words: string;
  answers: Answers;
}

const ready = readyToken();
const forbidden = readyToken({
  status: {
    ...troubled(
      'RegistryForbidden',
      'creating the API key failed: 403 from iam.cloud.ibm.com: the service ID lacks the role Operator',
    ).status,
    nextRetryTime: '2026-11-30T12:05:00Z',
  },
});

const SAMPLES: readonly Sample[] = [
  {
    words: 'status app-pull -n team-a',
    answers: around(ready, {
      [`GET ${PATHS.PODS}`]: listOf(pod('web-6d9f', undefined), pod('web-7c2k', 'ImagePullBackOff')),
      [`GET ${PATHS.EVENTS}`]: listOf(
        event(
          '2026-11-30T09:59:02.000000Z',
          'Warning',
          'RegistryUnavailable',
          'iam.cloud.ibm.com could not be asked: ECONNREFUSED',
        ),
        event('2026-11-30T10:00:00.000000Z', 'Normal', 'Rotated', ROTATED),
      ),
    }),
  },
  { words: 'why app-pull -n team-a', answers: around(forbidden) },
];

/** The samples as Markdown. */
export async function samplesText(): Promise<string> {
  const blocks: string[] = [];
  for (const { words, answers } of SAMPLES) {
    const { out, err } = await new CliStage(answers).run(words.split(' '));
    blocks.push(`\`\`\`text\n$ kubectl registrytoken ${words}\n${out}${err}\`\`\`\n`);
  }
  return blocks.join('\n');
}

const BEGIN = '<!-- samples: npm run generate -->\n\n';
const END = '\n<!-- end of samples -->\n';

/** @throws Error for a page without a place for samples */
export function withSamples(page: string, samples: string): string {
  const [before, rest] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || rest < before) throw new Error('the page has no place for samples');
  return page.slice(0, before + BEGIN.length) + samples + page.slice(rest);
}
