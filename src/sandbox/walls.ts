/** Which walls stand between a child and the rest of this machine, said plainly so that people can judge. */

/** One wall and whether it stands here. */
export interface Wall {
  readonly name: 'own process' | 'heap limit' | 'empty environment' | 'empty folder' | 'no network' | 'no other files';
  readonly stands: boolean;
  /** What the wall keeps out, or what it would keep out. */
  readonly meaning: string;
}

/** The report for `doctor` and the console. */
export function walls(): readonly Wall[] {
  return [
    { name: 'own process', stands: true, meaning: 'a crash or a full heap of the child does not take the peer along' },
    { name: 'heap limit', stands: true, meaning: 'the JavaScript heap of the child is bounded; native memory is not' },
    { name: 'empty environment', stands: true, meaning: 'no variable of the peer, so no token in one, reaches the child' },
    { name: 'empty folder', stands: true, meaning: 'the child starts in a folder of its own that is removed with it' },
    { name: 'no network', stands: false, meaning: 'the child could open connections: it runs in the network of the peer' },
    { name: 'no other files', stands: false, meaning: 'the child could read what the user of the peer may read' },
  ];
}
