import { Brand } from './brand';

/** What stands on the page until the first schema is there. */
export function Connecting({ trouble }: { trouble: string | null }) {
  return (
    <main className="panel" aria-busy="true">
      <Brand />
      <p role="status">{trouble ? `${trouble}. Trying again …` : 'Connecting …'}</p>
    </main>
  );
}
