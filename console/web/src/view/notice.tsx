import { useEffect, useState } from 'react';
import type { SchemaState } from '../server/live-schema';

const SHOWN_MS = 8_000;
const NAMED_FIELDS = 3;

/** A line at the foot of the page: the schema was updated, or the server is away. */
export function Notice({ change, trouble }: Pick<SchemaState, 'change' | 'trouble'>) {
  const [dismissed, setDismissed] = useState(change);
  useEffect(() => {
    const timer = setTimeout(() => setDismissed(change), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [change]);
  const news = change !== dismissed && change ? describe(change.fields) : null;
  const text = trouble ? `${trouble}. Trying again …` : news;
  return (
    <div className="notice" role="status" data-kind={trouble ? 'trouble' : 'news'} data-shown={text !== null}>
      {text}
    </div>
  );
}

function describe(fields: string[]): string {
  if (fields.length === 0) return 'Schema updated';
  const named = fields.slice(0, NAMED_FIELDS).join(', ');
  const more = fields.length > NAMED_FIELDS ? ` and ${fields.length - NAMED_FIELDS} more` : '';
  return `Schema updated: ${named}${more}`;
}
