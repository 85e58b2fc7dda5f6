/** What a Dockerfile says of its image, beside the files in it. */
export interface ImageSettings {
  user: string;
  folder: string;
  entrypoint: string[];
  labels: Record<string, string>;
}

/**
 * Reads the settings of a Dockerfile's last stage, so that there is one place that says them. Knows the forms this project's
 * Dockerfile uses: JSON for ENTRYPOINT, quoted values for LABEL.
 * @param args values for `${…}`
 * @throws Error when a setting is missing, or an argument has no value
 */
export function readSettings(text: string, args: Readonly<Record<string, string>>): ImageSettings {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')) + 1);
  const instruction = (name: string): string => {
    const line = stage.find((each) => each.startsWith(`${name} `));
    if (line === undefined) throw new Error(`Dockerfile: the last stage has no ${name}`);
    return line.slice(name.length + 1).trim();
  };
  const expand = (value: string): string =>
    value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      const known = args[name];
      if (known === undefined) throw new Error(`Dockerfile: no value for the argument ${name}`);
      return known;
    });
  return {
    user: instruction('USER'),
    folder: instruction('WORKDIR'),
    entrypoint: JSON.parse(instruction('ENTRYPOINT')) as string[],
    labels: Object.fromEntries(
      [...instruction('LABEL').matchAll(/([\w.]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [
        key,
        expand(value),
      ]),
    ),
  };
}
