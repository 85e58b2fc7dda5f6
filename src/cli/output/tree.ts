/** A line of a tree, with what hangs below it. */
export interface Branch {
  text: string;
  below?: readonly Branch[];
}

/** Trees as lines, each with a newline at the end; what hangs below is drawn as `tree` and `systemctl status` do. */
export function renderTree({ text, below = [] }: Branch): string {
  return `${text}\n${lines(below, '')}`;
}

function lines(branches: readonly Branch[], indent: string): string {
  return branches
    .map(({ text, below = [] }, at) => {
      const isLast = at === branches.length - 1;
      const under = `${indent}${isLast ? '   ' : '│  '}`;
      return `${indent}${isLast ? '└─ ' : '├─ '}${text}\n${lines(below, under)}`;
    })
    .join('');
}
