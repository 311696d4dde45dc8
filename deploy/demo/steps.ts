/** What members do before a run: find each other, bind their files, approve. */
import { packStudy, type Study } from '../../src/study/index.ts';
import { type DemoPeer, until } from './consortium.ts';

/** Resolves once every peer is connected to every other one. */
export async function discover(peers: readonly DemoPeer[]): Promise<void> {
  await until(async () => {
    const all = await Promise.all(peers.map((peer) => peer.api().get<{ connected: number; others: number }>('/v1/status')));
    return all.every(({ connected, others }) => connected === peers.length - 1 && others === peers.length - 1) || undefined;
  });
}

/** Publishes the study once, and lets every member bind its files and approve: `open` where its mode is, `limitMs` for each wait. Resolves once every peer knows all approvals. */
export async function approve(study: Study, peers: readonly DemoPeer[], { open = false, limitMs = 60_000 } = {}): Promise<void> {
  const decisionsAt = async ({ api }: DemoPeer): Promise<readonly { approved: boolean }[] | undefined> => {
    const { studies } = await api().get<{ studies: { study: string; decisions: { approved: boolean }[] }[] }>('/v1/studies');
    return studies.find((one) => one.study === study.id)?.decisions;
  };
  await peers[0]?.api().send('POST', '/v1/studies', packStudy(study));
  await Promise.all(
    peers.map(async (peer) => {
      const { member, api } = peer;
      await api().send('PUT', `/v1/datasets/${member.dataset}`, { files: member.files });
      await until(() => decisionsAt(peer), limitMs);
      await api().send('POST', `/v1/studies/${study.id}/approve`, { dataSet: member.dataset, open });
    }),
  );
  const hasAll = async (peer: DemoPeer): Promise<true | undefined> =>
    (await decisionsAt(peer))?.filter(({ approved }) => approved).length === peers.length || undefined;
  await Promise.all(peers.map((peer) => until(() => hasAll(peer), limitMs)));
}
