import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

/** What GraphiQL's panes lack for subscriptions. */
export function LivePane() {
  const { stop } = useGraphiQLActions();
  const tab = useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex]?.id);

  // GraphiQL stops when another tab is chosen, not when one is added: the results would go on in there.
  useEffect(() => () => stop(), [tab, stop]);

  return null;
}
