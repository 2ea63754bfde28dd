import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';
import { withMember, type Handover } from '../live/handover';

/** What GraphiQL's panes lack for subscriptions. */
export function LivePane({ handover }: { handover: Handover }) {
  const { stop } = useGraphiQLActions();
  const tab = useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex]?.id);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);

  // GraphiQL stops by itself when another tab is chosen, not when one is added.
  useEffect(() => () => stop(), [tab, stop]);

  useEffect(
    () =>
      handover.receive((query, name, cursor) => {
        // The answer may come when another tab is shown. GraphiQL runs a text with its fragments behind it.
        if (!queryEditor || !variableEditor || !query.startsWith(queryEditor.getValue())) return;
        variableEditor.setValue(withMember(variableEditor.getValue(), name, cursor));
      }),
    [handover, queryEditor, variableEditor],
  );
  return null;
}
